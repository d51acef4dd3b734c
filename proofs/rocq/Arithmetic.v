(** * Arithmetics with rounding as a relation

    A format is a set of reals, its values. Rounding relates a real to what it may become; which of these it becomes is
    decided anew in every operation, and nothing is known of who decides. The axioms are R1, G and R4 of the design, and of
    neighbours that their distance is a value, from which R3 follows. *)

From Coq Require Import ZArith Reals Lra.
From Flocq Require Import Core.

Open Scope R_scope.

(** The power of two. *)
Notation pow2 := (bpow radix2).

Record arithmetic := {
  (** The values, and what a real may be rounded to. *)
  value : R -> Prop;
  rounds : R -> R -> Prop;
  (** The precision: integers up to [2^precision] are values, times every power of two that is one. *)
  precision : Z;
  precision_positive : (0 < precision)%Z;

  value_0 : value 0;
  value_1 : value 1;
  value_opp : forall x, value x -> value (- x);

  (** R1, the sandwich: no value lies strictly between a real and what it is rounded to. *)
  rounds_down_to : forall f t r, value f -> rounds t r -> f <= t -> f <= r;
  rounds_up_to : forall f t r, value f -> rounds t r -> t <= f -> r <= f;
  (** What comes out is a value, and something comes out. *)
  rounds_value : forall t r, rounds t r -> value r;
  rounds_total : forall t, exists r, rounds t r;

  (** The distance of neighbours is a value. *)
  value_gap : forall x y, value x -> value y -> x < y ->
    (forall z, value z -> z <= x \/ y <= z) -> value (y - x);

  (** R4: powers of two from 1 on scale values to values. *)
  value_scale : forall k x, (0 <= k)%Z -> value x -> value (pow2 k * x);

  (** G: the grid of every power of two that is a value. *)
  value_grid : forall m e, value (pow2 e) -> (Z.abs m <= 2 ^ precision)%Z -> value (IZR m * pow2 e)
}.
