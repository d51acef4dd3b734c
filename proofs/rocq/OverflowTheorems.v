(** * Bounded exponents, with infinities: data sets, trees and forests

    What [Theorems] says of values without a largest one, for data, on every path that rounds in any
    directions. *)

From Coq Require Import List ZArith Reals Lra Lia Bool Arith.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Sums Network Units Boxes Regions BoxNetwork Evidence Theorems.
From Roundproof Require Import Overflow OverflowGrid OverflowAccumulator OverflowUnits OverflowNetwork.

Import ListNotations.
Open Scope R_scope.

Section Theorems.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

(** The accumulator, at least as wide; the same format if there is none. *)
Variable wide_prec wide_emax : Z.
Context (wide_prec_positive : Prec_gt_0 wide_prec) (wide_prec_below_emax : Prec_lt_emax wide_prec wide_emax).
Hypothesis wide : wider prec emax wide_prec wide_emax.

Notation datum := (binary_float prec emax).
Notation fnetwork := (OverflowNetwork.fnetwork prec emax).
Notation real_network := (OverflowNetwork.real_network prec emax).
Notation unbounded := (OverflowUnits.unbounded prec emax prec_positive prec_below_emax).
Notation falways_gives := (OverflowNetwork.falways_gives prec emax _ _ wide_prec wide_emax _ _).
Notation frecognised := (OverflowNetwork.frecognised prec emax _ _).
Notation sum_in_range := (OverflowNetwork.sum_in_range emax).
Notation flast := (OverflowNetwork.flast prec emax).

(** Data are values. *)
Lemma data_are_values : forall x : nat -> datum, every_input unbounded (real_input x).
Proof. intros x j. apply (value_unbounded prec emax), value_of_datum. Qed.

Lemma falways_gives_same : forall n x f g, (forall o, (o < length (flast n))%nat -> f o = g o) ->
  falways_gives n x f -> falways_gives n x g.
Proof.
  intros n x f g E [T H]. split; [exact T|]. intros u h y U G Y. destruct (H u h y U G Y) as (A & B & C & K).
  split; [exact A|split; [exact B|split; [exact C|]]]. intros o L. rewrite <- E by exact L. now apply K.
Qed.

Lemma real_reads_boxes : forall D n units scale o c, frecognised D n units scale ->
  nth_error (flast n) o = Some c -> reads_boxes (real_network n) (real_cell c).
Proof.
  intros D n units scale o c [_ R _] E b w. apply (real_layer prec emax) in E.
  exact (last_reads _ _ _ _ _ R o _ b w E).
Qed.

(** ** Data sets *)

(** Rows of data, each with the values of its labels. *)
Definition real_rows (data : list ((nat -> datum) * (nat -> R))) : rows :=
  map (fun '(x, label) => (real_input x, label)) data.

(** If the bias and the labels around each row add up to its label, exactly and within the format, then every
    path gives every row its label. *)
Theorem memorization_with_overflow : forall data n units scale,
  frecognised (inputs_of (real_rows data)) n units scale ->
  (forall x label, In (x, label) data -> forall j, is_finite (x j) = true) ->
  (forall x label o c, In (x, label) data -> nth_error (flast n) o = Some c ->
    let vs := labels (real_network n) units (real_input x) (real_cell c) in
    exact_sum unbounded (bias (real_cell c)) vs /\ sum_in_range (bias (real_cell c)) vs /\
    bias (real_cell c) + total vs = label o) ->
  forall x label, In (x, label) data -> falways_gives n x label.
Proof.
  intros data n units scale R F S x label I.
  apply (box_network_with_overflow prec emax _ _ _ _ _ _ wide (inputs_of (real_rows data)) n units scale);
    auto.
  - unfold inputs_of, real_rows. rewrite map_map. apply in_map_iff. now exists (x, label).
  - now apply F with label.
  - intros o c E. now apply S.
Qed.

(** ** Forests *)

(** [SumRange]: the worst paths stay within the format. *)
Theorem forest_computed_with_overflow : forall n units scale overlays base,
  frecognised (every_input unbounded) n units scale ->
  computes_forest unbounded (real_network n) units overlays base ->
  (forall o c, nth_error (flast n) o = Some c ->
    checked_sum unbounded (map regions overlays) (real_cell c) /\
    worst_case positive_part (map regions overlays) (real_cell c) < pow2 emax /\
    worst_case negative_part (map regions overlays) (real_cell c) < pow2 emax) ->
  forall x, (forall j, is_finite (x j) = true) ->
  falways_gives n x (forest overlays base (real_input x)).
Proof.
  intros n units scale overlays base R C S x F. assert (V := data_are_values x).
  apply (box_network_with_overflow prec emax _ _ _ _ _ _ wide (every_input unbounded) n units scale); auto.
  intros o c E. destruct (S o c E) as (K & P & N). assert (L := real_reads_boxes _ _ _ _ _ _ R E).
  pose proof (boxes_separated _ _ _ _ _ C) as B. split; [|split; [split|]].
  - now apply checked_sum_exact with (map regions overlays).
  - apply Rle_lt_trans with (2 := P). apply Rplus_le_compat_l.
    apply (labels_worst unbounded (real_network n) units _ B _ V); [exact L|]. intros v. apply Rmax_r.
  - apply Rle_lt_trans with (2 := N). apply Rplus_le_compat_l.
    apply (labels_worst unbounded (real_network n) units _ B _ V negative_part); [exact L|]. intros v.
    apply Rmax_r.
  - apply (real_layer prec emax) in E. now apply (forest_sum unbounded _ _ _ _ _ o).
Qed.

(** ** Trees *)

(** A tree whose leaves are the boxes: there is no sum to be within the format. *)
Theorem tree_computed_with_overflow : forall n units scale d,
  frecognised (every_input unbounded) n units scale -> plain_labels unbounded (real_network n) ->
  computes_tree unbounded (real_network n) units d ->
  forall x, (forall j, is_finite (x j) = true) -> falways_gives n x (decides d (real_input x)).
Proof.
  intros n units scale d R P [C S F L] x Fx. assert (V := data_are_values x).
  destruct (regions_path d 0 (real_input x)) as (b & Pb & Nb). simpl in Pb.
  assert (O : alone (real_network n) units (real_input x) b).
  { intros b' K J. apply (inside_on_path unbounded units (box_at (real_network n)) _ _ b' S V) in J.
    - rewrite Pb in J. now destruct J as [<- | []].
    - rewrite regions_named, in_seq. lia. }
  assert (A : around (real_network n) units (real_input x) b = true).
  { apply (on_path_inside unbounded units (box_at (real_network n)) (regions_of d 0)); trivial.
    rewrite Pb. now left. }
  assert (Q : forall o c, nth_error (flast n) o = Some c -> bias (real_cell c) = 0 /\
    (length (labels (real_network n) units (real_input x) (real_cell c)) <= 1)%nat /\
    total (labels (real_network n) units (real_input x) (real_cell c)) = decides d (real_input x) o).
  { intros o c E. assert (K := real_reads_boxes _ _ _ _ _ _ R E). apply (real_layer prec emax) in E.
    destruct (P o _ E) as (Z & N & _). destruct (alone_labels _ _ _ _ _ K O N) as [One T].
    rewrite A in T. rewrite T. split; [exact Z|split; [exact One|]]. now apply (L o _ b). }
  apply falways_gives_same with (label_around prec emax n units x).
  - intros o K. unfold label_around. destruct (nth_error (flast n) o) as [c |] eqn:E.
    + destruct (Q o c E) as (_ & One & <-).
      destruct (labels _ _ _ _) as [|v [|]]; simpl in *; [easy|ring|lia].
    + apply nth_error_None in E. lia.
  - apply (disjoint_boxes_with_overflow prec emax _ _ _ _ _ _ wide (every_input unbounded) n units scale);
      auto.
    intros o c E. destruct (Q o c E) as (Z & One & _). now split.
Qed.

End Theorems.
