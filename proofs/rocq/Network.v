(** * Networks of three layers

    Layer by layer, every neuron takes a path of its own; what a neuron gives is the same for all that read it. *)

From Coq Require Import List Reals.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Trees.

Import ListNotations.
Open Scope R_scope.

Inductive activation := Step | Relu | Identity.

(** Step is 1 from zero on; what is negative is cut off by ReLU. *)
Definition activate (act : activation) (r : R) : R :=
  match act with
  | Step => if Rle_dec 0 r then 1 else 0
  | Relu => Rmax r 0
  | Identity => r
  end.

(** A neuron: its bias, and the stored weights with the inputs that they multiply. *)
Record cell := { bias : R; weights : list (nat * R) }.

Definition layer := list cell.

Definition terms (x : nat -> R) (c : cell) : list (R * R) :=
  map (fun '(j, w) => (w, x j)) (weights c).

(** [gives A B act cells x y]: on some path, the layer gives [y] at the input [x]. *)
Definition gives (A B : arithmetic) (act : activation) (cells : layer) (x y : nat -> R) : Prop :=
  forall i c, nth_error cells i = Some c ->
    exists r, neuron A B (bias c) (terms x c) r /\ y i = activate act r.

(** Three layers, the last without an activation. *)
Record network := { hidden : activation; first : layer; second : layer; last : layer }.

(** [computes A B n x y]: on some path, the network gives [y] at the input [x]. *)
Definition computes (A B : arithmetic) (n : network) (x y : nat -> R) : Prop :=
  exists u h,
    gives A B (hidden n) (first n) x u /\
    gives A B (hidden n) (second n) u h /\
    gives A B Identity (last n) h y.

(** ** Units and boxes: the side conditions

    A unit of the first layer sees one input [x j] with the weight [-K] (a lower side) or [K] (an upper side). In the
    mirrored coordinate [x'], which is [x j] for a lower and [- x j] for an upper side, it computes [K (a - x')]. *)

(** [mirrored upper v]: the coordinate in which a side bounds from below. *)
Definition mirrored (upper : bool) (v : R) : R := if upper then - v else v.

(** Neighbouring values: nothing is between them. In [FLX] zero has none. *)
Definition adjacent (A : arithmetic) (below above : R) : Prop :=
  value A below /\ value A above /\ below < above /\
  forall z, value A z -> z <= below \/ above <= z.

(** What a unit tells: it fires up to [fires] and is silent from [silent] on, in its mirrored coordinate. *)
Record side := { column : nat; upper : bool; fires : R; silent : R }.

(** Step: [Step (c - x')] fires exactly up to [c]; it is silent beyond. *)
Definition step_unit (A : arithmetic) (c : cell) (j : nat) (up : bool) (threshold : R) : Prop :=
  value A threshold /\ bias c = threshold /\ weights c = [(j, if up then 1 else -1)].

(** ReLU: [ReLU (K a - K x')] is silent from [a] on, and gives at least [K (a - pa)] up to [pa], the value before [a]. *)
Definition relu_unit (A : arithmetic) (c : cell) (j : nat) (up : bool) (k : Z) (pa a : R) : Prop :=
  (0 <= k)%Z /\ adjacent A pa a /\ bias c = pow2 k * a /\
  weights c = [(j, if up then pow2 k else - pow2 k)].
