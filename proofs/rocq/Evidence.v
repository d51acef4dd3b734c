(** * Evidence: what is checked of labels and sums, tree by tree

    The sums of a network are checked along the paths down its separators, not at each input; and a row meets
    no other boxes than those on its paths. *)

From Coq Require Import ZArith List Permutation Reals Lra Lia Bool Arith.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Trees Sums SumsError Network Units Boxes Regions BoxNetwork.

Import ListNotations.
Open Scope R_scope.

(** ** Labels by box *)

(** A sum over what an output has stored for a box, *)
Definition stored (f : R -> R) (c : cell) (b : nat) : R :=
  total (map (fun t => f (snd t)) (filter (fun t => (fst t =? b)%nat) (weights c))).

(** and its label: none is zero. *)
Definition label_of (c : cell) (b : nat) : R := stored (fun v => v) c b.

Lemma total_if_eq : forall (w : R) k l, NoDup l ->
  total (map (fun b => if (k =? b)%nat then w else 0) l) = if in_dec Nat.eq_dec k l then w else 0.
Proof.
  intros w k l N. induction N as [| b l I N IH]; [easy |]. cbn [map total fold_right].
  fold (total (map (fun b => if (k =? b)%nat then w else 0) l)). rewrite IH.
  destruct (Nat.eqb_spec k b) as [-> | E], (in_dec Nat.eq_dec _ l) as [J | J],
    (in_dec Nat.eq_dec _ (b :: l)) as [K | K]; try lra; try easy; exfalso.
  - apply K. now left.
  - apply K. now right.
  - destruct K as [K | K]; [now apply E | easy].
Qed.

(** A sum over the labels around an input is one over the boxes around it. *)
Lemma labels_stored : forall f n units x c l, NoDup l ->
  (forall b w, In (b, w) (weights c) -> around n units x b = true <-> In b l) ->
  total (map f (labels n units x c)) = total (map (stored f c) l).
Proof.
  intros f n units x c l N. unfold labels, stored. rewrite map_map.
  induction (weights c) as [| [k w] ws IH]; intros H.
  - simpl. symmetry. apply total_zeros, Forall_forall. intros v I.
    apply in_map_iff in I. now destruct I as (b & <- & _).
  - specialize (IH (fun b w I => H b w (or_intror I))). pose proof (H k w (or_introl eq_refl)) as K.
    transitivity (total (map (fun b => if (k =? b)%nat then f w else 0) l)
      + total (map (fun t => f (snd t)) (filter (fun t => around n units x (fst t)) ws))).
    + rewrite total_if_eq by trivial. cbn [filter fst].
      destruct (around n units x k), (in_dec Nat.eq_dec k l) as [I | I]; cbn [map snd total fold_right];
        try (apply K in I; discriminate); try (exfalso; now apply I, K); unfold total; lra.
    + rewrite IH, total_map_plus. f_equal. apply map_ext. intros b. cbn [filter fst].
      destruct (k =? b)%nat; cbn [map snd total fold_right]; unfold total; lra.
Qed.

Lemma labels_total : forall n units x c l, NoDup l ->
  (forall b w, In (b, w) (weights c) -> around n units x b = true <-> In b l) ->
  total (labels n units x c) = total (map (label_of c) l).
Proof.
  intros n units x c l N H. rewrite <- (map_id (labels n units x c)). now apply labels_stored.
Qed.

(** ** Separated networks

    [BoxRegions]: the separators name each box once; [Overlap]: it lies within its region. *)
Record separated (A : arithmetic) (n : network) (units : sides) (ss : list separator) : Prop := {
  named_once : NoDup (all_named ss);
  named_all : forall b, (b < length (second n))%nat -> In b (all_named ss);
  named_within : forall s, In s ss -> separates A units (box_at n) s
}.

(** What is stored is stored for boxes that are there. *)
Definition reads_boxes (n : network) (c : cell) : Prop :=
  forall b w, In (b, w) (weights c) -> (b < length (second n))%nat.

Section Separated.

Variable A : arithmetic.
Variable n : network.
Variable units : sides.
Variable ss : list separator.
Hypothesis separators : separated A n units ss.
Variable x : nat -> R.
Hypothesis input : every_input A x.

(** The boxes on the paths of an input that are around it. *)
Definition located : list nat := filter (around n units x) (paths ss x).

Lemma located_NoDup : NoDup located.
Proof. apply NoDup_filter, paths_NoDup, (named_once _ _ _ _ separators). Qed.

(** A sum over the labels around an input is one over the boxes that its paths locate, *)
Lemma labels_located : forall f c, reads_boxes n c ->
  total (map f (labels n units x c)) = total (map (stored f c) located).
Proof.
  intros f c L. apply labels_stored; [apply located_NoDup |]. intros b w I. unfold located. rewrite filter_In.
  split; [| tauto]. intros H. split; trivial. apply (inside_on_paths A units (box_at n)); trivial.
  - apply separators.
  - apply separators. now apply (L b w).
Qed.

(** and at most one over the worst paths. *)
Lemma labels_worst : forall f c, reads_boxes n c -> (forall v, 0 <= f v) ->
  total (map f (labels n units x c)) <= total (map (worst (stored f c)) ss).
Proof.
  intros f c L P. rewrite labels_located by trivial.
  apply Rle_trans with (2 := paths_worst (stored f c) ss x).
  unfold located. induction (paths ss x) as [| b l IH]; simpl; [lra |].
  assert (0 <= stored f c b).
  { apply total_nonnegative, Forall_map, Forall_forall. intros t _. apply P. }
  destruct (around n units x b); simpl; lra.
Qed.

(** One separator without nesting locates at most one box. *)
Lemma located_one : forall s, ss = [s] -> nests s = false -> exists b, incl located [b].
Proof.
  intros s E H. unfold located, paths. rewrite E. cbn [flat_map]. rewrite app_nil_r.
  pose proof (path_one s x H) as P.
  destruct (path s x) as [| b [|]]; [exists 0%nat | exists b | simpl in P; lia].
  - apply incl_nil_l.
  - intros b' I. apply filter_In in I. apply I.
Qed.

End Separated.

(** ** Sums

    [Sum]: with one separator, no nesting and no bias, each output selects. Otherwise the bias and all labels
    of the output are multiples of a power of two, and the positive and the negative ones on the worst paths
    are each within the precision. *)

(** A bias, and the labels on the worst path of each separator. *)
Definition worst_case (f : R -> R) (ss : list separator) (c : cell) : R :=
  f (bias c) + total (map (worst (stored f c)) ss).

Definition negative_part (v : R) : R := positive_part (- v).

Inductive checked_sum (A : arithmetic) (ss : list separator) (c : cell) : Prop :=
| Checked_selection s : ss = [s] -> nests s = false -> bias c = 0 -> NoDup (map fst (weights c)) ->
    Forall (fun t => value A (snd t)) (weights c) -> checked_sum A ss c
| Checked_grid e :
    value A (pow2 e) -> on_grid e (bias c) -> Forall (fun t => on_grid e (snd t)) (weights c) ->
    worst_case positive_part ss c <= pow2 (precision A) * pow2 e ->
    worst_case negative_part ss c <= pow2 (precision A) * pow2 e -> checked_sum A ss c.

(** What holds of all that is stored holds of the labels around an input. *)
Lemma labels_all : forall (P : R -> Prop) n units x c,
  Forall (fun t => P (snd t)) (weights c) -> Forall P (labels n units x c).
Proof.
  intros P n units x c F. rewrite Forall_forall in *. intros v I. apply in_map_iff in I.
  destruct I as (t & <- & I). apply filter_In in I. now apply F.
Qed.

(** Among stored boxes that are all the same there is but one, if none is stored twice. *)
Lemma labels_one : forall n units x c b, NoDup (map fst (weights c)) ->
  (forall b' w, In (b', w) (weights c) -> around n units x b' = true -> b' = b) ->
  (length (labels n units x c) <= 1)%nat.
Proof.
  intros n units x c b N O. unfold labels. rewrite map_length. revert N O.
  induction (weights c) as [| [k w] ws IH]; intros N O; [simpl; lia |].
  apply NoDup_cons_iff in N. destruct N as [N M]. specialize (IH M (fun b w I => O b w (or_intror I))).
  cbn [filter fst] in *. destruct (around n units x k) eqn:K; [| easy]. cbn [length].
  destruct (filter _ ws) as [| [k' w'] l] eqn:F; [simpl; lia |]. exfalso.
  assert (I : In (k', w') (filter (fun t => around n units x (fst t)) ws)) by (rewrite F; now left).
  apply filter_In in I. destruct I as [I K']. apply N.
  rewrite (O k w (or_introl eq_refl) K), <- (O k' w' (or_intror I) K'). now apply (in_map fst _ (k', w')).
Qed.

(** The check implies that the sum is exact at every input. *)
Theorem checked_sum_exact : forall A n units ss x c, separated A n units ss -> every_input A x ->
  reads_boxes n c -> checked_sum A ss c -> exact_sum A (bias c) (labels n units x c).
Proof.
  intros A n units ss x c S V L [s E Ns Z N W | e We Gb Gw P N].
  - apply Selection; trivial; [| now apply labels_all].
    destruct (located_one n units ss x s E Ns) as [b O]. apply labels_one with b; trivial.
    intros b' w I H. destruct (O b') as [-> | []]; trivial. unfold located. apply filter_In. split; trivial.
    apply (inside_on_paths A units (box_at n)); trivial; apply S. now apply (L b' w).
  - apply Grid with e; trivial.
    + constructor; trivial. now apply labels_all.
    + rewrite total_cons. apply Rle_trans with (2 := P). apply Rplus_le_compat_l.
      apply (labels_worst A); trivial. intros v. apply Rmax_r.
    + rewrite total_cons. apply Rle_trans with (2 := N). apply Rplus_le_compat_l.
      apply (labels_worst A n units ss S x V negative_part); trivial. intros v. apply Rmax_r.
Qed.

(** ** Errors

    Where the sum is not exact, the magnitude and the number of its terms are bounded on the worst paths. *)

(** 1 for what is not zero. *)
Definition counted (v : R) : R := if is_nonzero v then 1 else 0.

Lemma nonzeros_counted : forall vs, INR (nonzeros vs) = total (map counted vs).
Proof.
  unfold nonzeros, counted. induction vs as [| v vs IH]; [easy |]. cbn [filter map total fold_right].
  destruct (is_nonzero v); [cbn [length]; rewrite S_INR |]; rewrite IH; unfold total; lra.
Qed.

Lemma magnitude_parts : forall vs,
  magnitude vs = total (map positive_part vs) + total (map negative_part vs).
Proof.
  intros vs. rewrite total_map_plus. unfold magnitude. f_equal. apply map_ext. intros v.
  unfold negative_part, positive_part, Rabs. destruct (Rcase_abs v).
  - rewrite Rmax_right, Rmax_left; lra.
  - rewrite Rmax_left, Rmax_right; lra.
Qed.

(** [SumRange] is about largest values; otherwise every output is off by at most this. *)
Theorem checked_sum_error : forall A B D n units scale ss x o c e m, within A B ->
  recognised A D n units scale -> separated A n units ss -> D x -> nth_error (last n) o = Some c ->
  value A (pow2 e) -> keeps_grid B e -> term A e (bias c) -> Forall (fun t => term A e (snd t)) (weights c) ->
  worst_case counted ss c <= INR m ->
  forall y, computes A B n x y ->
  Rabs (y o - (bias c + total (labels n units x c)))
    <= error (pow2 (1 - precision A)) m (worst_case positive_part ss c + worst_case negative_part ss c).
Proof.
  intros A B D n units scale ss x o c e m AB R S Dx E V K Tb Tw M y Y.
  assert (L : reads_boxes n c) by (intros b w; apply (last_reads _ _ _ _ _ R o c b w E)).
  pose proof (inputs_values _ _ _ _ _ R x Dx) as X.
  assert (W : forall f, (forall v, 0 <= f v) ->
    total (map f (bias c :: labels n units x c)) <= worst_case f ss c).
  { intros f P. rewrite total_cons. apply Rplus_le_compat_l. now apply (labels_worst A). }
  apply Rle_trans with (error (pow2 (1 - precision A)) m (magnitude (bias c :: labels n units x c))).
  - apply (box_network_error A B D n units scale x o c e m); trivial.
    + constructor; trivial. now apply labels_all.
    + apply INR_le. rewrite nonzeros_counted. apply Rle_trans with (2 := M), W.
      intros v. unfold counted. destruct (is_nonzero v); lra.
  - unfold error. apply Rmult_le_compat_l.
    + pose proof (pow_R1_Rle (1 + pow2 (1 - precision A)) m).
      pose proof (bpow_ge_0 radix2 (1 - precision A)). lra.
    + rewrite magnitude_parts. apply Rplus_le_compat; apply W; intros v; apply Rmax_r.
Qed.
