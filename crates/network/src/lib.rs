//! Networks, data sets, path models and witnesses: plain data with invariants.
