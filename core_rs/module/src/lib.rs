//! The native module `sweep._core`: the bindings, with the strategies that ship with sweep. Modules of plug-ins are made
//! in the same way, each with its own strategies.

sweep_py::module!(sweep_strategies::STRATEGIES);
