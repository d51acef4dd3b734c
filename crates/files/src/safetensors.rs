//! Networks, graphs, decision forests and rounded data sets as [safetensors](https://github.com/huggingface/safetensors) files.
//!
//! # A network
//!
//! | tensor | type | shape | |
//! | --- | --- | --- | --- |
//! | `layer{i}.row_ptr` | U64 | rows + 1 | where each row starts in the next two |
//! | `layer{i}.columns` | U32 | stored weights | the input that each weight multiplies |
//! | `layer{i}.weights` | *values* | stored weights | |
//! | `layer{i}.bias` | *values* | rows | |
//!
//! for each layer `i` from 0, and the metadata `format` (as [`Format`](roundproof_format::Format) spells it),
//! `activations` (a JSON array of `step`, `relu`, `identity`, a layer each) and `input_dimension` (a decimal integer).
//!
//! and, if they are known, `input_names` (a JSON array of strings, no two the same; nothing that is claimed depends on them).
//!
//! Version 2 of this layout has the metadata `version` (`2`), and in addition
//!
//! - the activations `leaky-relu`, `clip` and `sign`; the slope, or the lower and the upper bound, are the *values* of the
//!   tensor `layer{i}.activation`, of shape 1 or 2;
//! - the metadata `steps`, if the network is anything else than layers as above, each over the one before: a JSON array of an
//!   object for each layer, with the fields below, in this order.
//!
//! | field | | |
//! | --- | --- | --- |
//! | `op` | `sum`, `maximum` or `product` | what [`Op`](roundproof_network::Op) says |
//! | `reads` | counts | the vectors that it reads, one behind the other: 0 is the inputs, `k` what layer `k - 1` makes |
//! | `matrix` | `sparse`, `dense` or `convolution` | of a sum |
//! | `windows` | `listed` or `sliding` | of a maximum |
//! | `channels` | count | of a convolution, and of windows that slide: channels of what is read |
//! | `groups` | count | of a convolution |
//! | `axes` | arrays of six counts | of a convolution, and of windows that slide: size, window, stride, dilation, padding before and after, as in [`Axis`](roundproof_network::Axis), the last axis fastest |
//! | `format` | text | of the values, and of the parameters of the activation |
//!
//! Weights and biases are in the format of what the layer reads. A sparse sum has the tensors above. A dense one has no
//! `row_ptr` and `columns`, and its `weights` have the shape (rows, inputs); so has a convolution, whose `weights` have the shape
//! (output channels, input channels of a group, places of the window along each axis), and which has one `bias` for each output
//! channel. A maximum over listed columns has `row_ptr` and `columns` alone, and the others have no tensors.
//!
//! A network is written in the first version that has all of it, and read in no other.
//!
//! # A graph
//!
//! What a model of another tool computes of one row ([`Graph`](roundproof_graph::Graph)): tensors and nodes, both numbered from 0.
//! The metadata are `format`, which is `roundproof graph, version 1`, and three JSON arrays without spaces: `outputs`, the numbers
//! of tensors; `tensors` and `nodes`, of objects with these fields, in this order.
//!
//! | of a tensor | |
//! | --- | --- |
//! | `name` | as the model has it |
//! | `shape` | counts |
//! | `format` | that of the elements |
//! | `source` | `input`, `constant`, or `node`: one of the nodes makes it |
//!
//! | of a node | | |
//! | --- | --- | --- |
//! | `name` | text | as the model has it |
//! | `op` | text | the [name](roundproof_graph::Op::name) of the operation |
//! | `reads` | counts | numbers of tensors |
//! | `writes` | count | the number of the tensor that it makes |
//! | `windows` | arrays of six counts | of Conv, MaxPool, AveragePool: as the `axes` of a network |
//! | `groups` | count | of Conv |
//! | `divisor` | `places` or `window` | of AveragePool: what is divided by, places of the tensor or of the window |
//! | `axes` | counts | of reductions |
//! | `axis` | count | of Softmax, LogSoftmax |
//! | `slope`; `slope`, `offset`; `epsilon` | encodings in binary32 | of LeakyRelu; HardSigmoid; BatchNormalization |
//! | `low`, `high` | encodings in the format of the tensor | of Clip, each if there is such a limit |
//! | `norm` | `max`, `l1`, `l2` | of Normalizer |
//!
//! | tensor | type | shape | |
//! | --- | --- | --- | --- |
//! | `tensor{i}` | *values* | that of tensor `i` | the elements of a constant |
//! | `node{i}.picks` | U32 | 2 × elements | of an Arrange: for each element of the result, which of the tensors that are read, and which element |
//!
//! An encoding is hexadecimal digits in lowercase after `0x`, as many as the width of the format takes. A convolution stays one.
//!
//! # A forest
//!
//! | tensor | type | shape | |
//! | --- | --- | --- | --- |
//! | `starts` | U64 | trees + 1 | where each tree starts in the next two; the last is the number of nodes |
//! | `columns` | U32 | nodes | the input that a split compares; 2^32 - 1 at a leaf |
//! | `thresholds` | *values* | nodes | what a split compares with; +0 at a leaf |
//! | `values` | *values* | leaves, outputs | of the leaves, in the order of the nodes |
//! | `base` | *values* | outputs | what is added to the leaves |
//!
//! and the metadata `format` and `input_dimension`. The nodes of a tree stand in preorder, lower side first; see
//! [`Tree`](roundproof_network::Tree).
//!
//! # A data set
//!
//! | tensor | type | shape |
//! | --- | --- | --- |
//! | `inputs` | *values* | rows, inputs per row |
//! | `labels` | *values* | rows, labels per row |
//!
//! and the metadata `format`; and, both or neither, `input_names` and `label_names` (JSON arrays of strings).
//!
//! # Rows of an audit
//!
//! | tensor | type | shape | |
//! | --- | --- | --- | --- |
//! | `inputs` | *values* | rows, inputs per row | all finite |
//! | `numbers` | U64 | rows | which rows of the data these are, ascending |
//!
//! and the metadata `format`, and `kind`, which is `roundproof rows, version 1`. The inputs of a graph that has several stand one behind
//! the other in a row.
//!
//! # Values
//!
//! In a bounded format, encodings of up to 8, 16, 32 or 64 bits stand in the low bits of U8, U16, U32 or U64; longer
//! ones are pairs of U64, the low word first, and the shape has one more dimension, of 2.
//!
//! `F(p)` has no encoding of its own, so a tensor `t` of values becomes two:
//!
//! | tensor | type | shape |
//! | --- | --- | --- |
//! | `t.significand` | U64 | that of `t`, and 2 |
//! | `t.exponent` | I32 | that of `t` |
//!
//! The pair of words is, low word first, an integer of 128 bits: bit 127 is the sign `s`, the rest the integral
//! significand `m`. The value is `(-1)^s * m * 2^exponent`. It is written in one way: `2^(p-1) <= m < 2^p`, and zero is
//! all zeros.
//!
//! # Bytes
//!
//! One value has one file, byte by byte: metadata in the order of its keys, tensors in that of the library (wide types
//! first, then by name), the header filled with spaces to a multiple of 8 bytes. Readers accept tensors in any order,
//! but every tensor and every key must be known and there once, and the tensors must cover the data without gaps.

mod container;
mod contents;
mod dataset;
mod error;
mod forest;
mod graph;
mod network;
mod rows;
mod values;

pub use contents::Contents;
pub use dataset::{Columns, NamedDataset, dataset_bytes, parse_dataset, read_dataset, write_dataset};
pub use error::{TensorError, TensorProblem};
pub use forest::{forest_bytes, parse_forest, read_forest, write_forest};
pub use graph::{graph_bytes, parse_graph, read_graph, write_graph};
pub(crate) use network::canonical_format;
pub use network::{
    NamedNetwork, named_network_bytes, network_bytes, parse_network, read_named_network, read_network, write_network,
};
pub use rows::{AuditRows, audit_rows_bytes, parse_audit_rows};

#[cfg(test)]
mod tests;
