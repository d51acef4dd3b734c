(** * What an audit leans on: on every path, the margin of a network whose sums are within their bounds

    [Margin.v] with the radii of [SumBoundFormats.v]: each neuron forms its sum in some tree, on some path, from what the
    units before it gave on that path. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums SumsError Formats SumBound SumBoundFormats Margin.

Import ListNotations.
Open Scope R_scope.

Section Audit.

(** Storage, accumulator, what may be flushed, and whether anything may be narrowed, as in [SumBoundFormats.v]. *)
Variables emin prec wide_emin wide_prec : Z.
Hypothesis prec_positive : (0 < prec)%Z.
Hypothesis prec_wide : (prec <= wide_prec)%Z.
Hypothesis emin_wide : (wide_emin <= emin)%Z.
Hypothesis emin_one : (emin <= 0)%Z.
Variables A B : arithmetic.
Variable rho : R.
Hypothesis rho_nonnegative : 0 <= rho.
Hypothesis A_errs : errs_by rho emin prec A.
Hypothesis B_errs : errs_by rho wide_emin wide_prec B.
Variables wide_eta eta : R.
Hypothesis wide_eta_nonnegative : 0 <= wide_eta.
Hypothesis wide_eta_less : wide_eta <= eta.
Variable anywhere : bool.

Notation becomes := (becomes A B wide_eta eta anywhere).
Notation narrows := (narrows A eta).
Notation cost g := (on_cost emin prec wide_emin wide_prec rho wide_eta eta anywhere g).
Notation narrowing_cost := (narrowing_cost emin prec rho eta).

Context {I : Type}.
Variables inputs neurons : list I.
Notation units := (inputs ++ neurons).

(** What is known of the sum of a neuron: in which spans its leaves are, how large it is at most, a bound of its partial
    sums, how many narrowings there are and what each costs, and the grid, if any. *)
Record knowledge := { leaf_spans : list span; whole : R; most : R; narrowings : nat; each : R; grid_of : option Z }.

Definition radius_of (k : knowledge) : R := bound (most k) (cost (grid_of k)) (each k) (leaf_spans k) (narrowings k).

Definition consistent (k : knowledge) : Prop :=
  is_grid emin eta (grid_of k) /\ 0 <= each k /\ span_most (leaf_spans k) (whole k) <= most k /\
  (narrowings k = 0%nat \/ narrowing_cost (most k + radius_of k) <= each k).

(** The sum [s] of these leaves, on a path that the knowledge allows. *)
Definition forms (k : knowledge) (ls : list leaf) (s : R) : Prop :=
  Forall2 (spans becomes (on (grid_of k))) ls (leaf_spans k) /\ Rabs (total (map exact ls)) <= whole k /\
  exists t n, Permutation (leaves t) ls /\ (n <= narrowings k)%nat /\ runs becomes narrows t n s.

Lemma forms_near : forall k ls s, consistent k -> forms k ls s -> Rabs (s - total (map exact ls)) <= radius_of k.
Proof.
  intros k ls s (G & E & M & N) (S & W & t & n & P & L & H).
  exact (sum_bound_FLT emin prec wide_emin wide_prec prec_positive prec_wide emin_wide emin_one A B rho rho_nonnegative
    A_errs B_errs wide_eta eta wide_eta_nonnegative wide_eta_less anywhere (grid_of k) ls (leaf_spans k) (whole k)
    (most k) (each k) t (narrowings k) n s G E P S W M L N H).
Qed.

Variable known : I -> knowledge.
Hypothesis known_consistent : forall i, In i neurons -> consistent (known i).

(** A path of the network: of each neuron the leaves, whose exact sum is linear in what other units give. *)
Record path := {
  gives : I -> R; sum_at : I -> R; leaves_at : I -> list leaf; weight_at : I -> I -> R; bias_at : I -> R;
  linear : forall i, In i neurons ->
    total (map exact (leaves_at i)) = sigma units (fun j => weight_at i j * gives j) + bias_at i;
  formed : forall i, In i neurons -> forms (known i) (leaves_at i) (sum_at i)
}.

(** A lower bound of a linear form, with what it takes for granted of a path. *)
Record certificate := {
  form : I -> R; lambda : I -> R; h0 : I -> R; z0 : I -> R;
  multiplier : I -> R; slack : I -> R; miss : I -> R; least : I -> R
}.

Definition allows (c : certificate) (p : path) : Prop :=
  (forall i, In i neurons ->
    miss c i <= lambda c i * missed inputs neurons (bias_at p) (weight_at p) (h0 c) (z0 c) i) /\
  (forall j, In j units ->
    Rabs (passed neurons (weight_at p) (form c) (lambda c) j - multiplier c j) * Rabs (gives p j - h0 c j)
      <= slack c j) /\
  (forall j, In j inputs -> least c j <= multiplier c j * (gives p j - h0 c j)) /\
  (forall i, In i neurons ->
    least c i <= multiplier c i * (gives p i - h0 c i) - lambda c i * (sum_at p i - z0 c i)).

Definition margin_of (c : certificate) : R :=
  margin inputs neurons (form c) (lambda c) (h0 c) (fun i => radius_of (known i)) (slack c) (miss c) (least c).

Theorem margin_on_every_path : forall c p, allows c p -> margin_of c <= sigma units (fun j => form c j * gives p j).
Proof.
  intros c p (Miss & Slack & Inp & Neu). unfold margin_of.
  apply (margin_bound inputs neurons (gives p) (sum_at p) (bias_at p)
    (fun i => sum_at p i - total (map exact (leaves_at p i))) (weight_at p)) with (z0 := z0 c) (multiplier := multiplier c); auto.
  - intros i N. rewrite <- (linear p i N). ring.
  - intros i N. now apply forms_near; [apply known_consistent | apply formed].
Qed.

(** A decision: if each rival has a certificate of a positive margin, the winner is strictly above all of them. *)
Theorem decided : forall (eq_dec : forall i j : I, {i = j} + {i <> j}) winner rivals (of_rival : I -> certificate) p,
  NoDup units -> In winner units -> (forall b, In b rivals -> In b units) ->
  (forall b, In b rivals ->
    form (of_rival b) = difference eq_dec winner b /\ allows (of_rival b) p /\ 0 < margin_of (of_rival b)) ->
  forall b, In b rivals -> gives p b < gives p winner.
Proof.
  intros eq_dec winner rivals of_rival p N W U H b R. destruct (H b R) as (F & Al & Pos).
  assert (K := margin_on_every_path (of_rival b) p Al). rewrite F in K.
  rewrite (difference_form I eq_dec units winner b (gives p)) in K; auto. lra.
Qed.

End Audit.
