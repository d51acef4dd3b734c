(** * Bounded exponents, with infinities: accumulators

    Sums may be formed in a format that is wider, and rounded once more to that of the network. Bounds by
    values of the network's format survive both. Without an accumulator, the two formats are the same. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Sums Overflow OverflowSums OverflowGrid.

Import ListNotations.
Open Scope R_scope.

(** ** From one format to another one *)

Section Conversion.

Variables prec emax prec' emax' : Z.
Context (prec_positive : Prec_gt_0 prec) (prec_below_emax : Prec_lt_emax prec emax).
Context (prec_positive' : Prec_gt_0 prec') (prec_below_emax' : Prec_lt_emax prec' emax').

(** One rounding in the direction [m]; infinities and NaN stay. *)
Definition convert (m : mode) (x : binary_float prec emax) : binary_float prec' emax' :=
  match x with
  | B754_zero s => B754_zero s
  | B754_infinity s => B754_infinity s
  | B754_nan => B754_nan
  | B754_finite s n e _ => binary_normalize prec' emax' _ _ m (cond_Zopp s (Zpos n)) e s
  end.

Lemma convert_delivers : forall m x, is_finite x = true -> delivers prec' emax' m (B2R x) (convert m x).
Proof.
  intros m [s | s | | s n e H] F; try discriminate; unfold delivers.
  - simpl B2R. rewrite round_0, Rabs_R0, Rlt_bool_true by (try apply bpow_gt_0; apply valid_rnd_round_mode).
    now split.
  - generalize (binary_normalize_correct prec' emax' _ _ m (cond_Zopp s (Zpos n)) e s). cbv zeta.
    simpl B2R. simpl convert. case Rlt_bool_spec; intros _; [|easy]. intros (V & G & _). now split.
Qed.

(** NaN does not arise. *)
Lemma convert_nan : forall m x, is_nan (convert m x) = is_nan x.
Proof. intros m [s | s | | s n e H]; try reflexivity. apply is_nan_binary_normalize. Qed.

Lemma convert_at_most : forall m v x, value prec' emax' v -> at_most v x -> at_most v (convert m x).
Proof.
  intros m v x V [-> | [F L]]; [now left|].
  apply (delivers_at_most prec' emax' _ _ m v (B2R x)); auto. now apply convert_delivers.
Qed.

Lemma convert_at_least : forall m v x, value prec' emax' v -> at_least v x -> at_least v (convert m x).
Proof.
  intros m v x V [-> | [F L]]; [now left|].
  apply (delivers_at_least prec' emax' _ _ m v (B2R x)); auto. now apply convert_delivers.
Qed.

Lemma convert_exactly : forall m v x, value prec' emax' v -> exactly v x -> exactly v (convert m x).
Proof.
  intros m v x V [F <-]. apply (delivers_exactly prec' emax' m); [exact V|]. now apply convert_delivers.
Qed.

End Conversion.

Arguments convert {prec emax prec' emax'} {prec_positive' prec_below_emax'} m x.

(** ** Neurons *)

Section Accumulator.

(** The format of the network, and that of its accumulator. *)
Variables prec emax wide_prec wide_emax : Z.
Context (prec_positive : Prec_gt_0 prec) (prec_below_emax : Prec_lt_emax prec emax).
Context (wide_prec_positive : Prec_gt_0 wide_prec) (wide_prec_below_emax : Prec_lt_emax wide_prec wide_emax).

Notation emin := (SpecFloat.emin prec emax).
Notation datum := (binary_float prec emax).
Notation wide_datum := (binary_float wide_prec wide_emax).
Notation value := (Overflow.value prec emax).
Notation wide_value := (Overflow.value wide_prec wide_emax).

(** A wider format has no less precision and no lesser range; its least spacing is then no larger. *)
Definition wider : Prop := (prec <= wide_prec)%Z /\ (emax <= wide_emax)%Z.

(** The same datum in the accumulator. *)
Definition widen (x : datum) : wide_datum := convert mode_NE x.

Definition widen_term (t : datum * datum) : wide_datum * wide_datum := (widen (fst t), widen (snd t)).

(** [fneuron bias terms r]: some order of the terms and some path through it, in the accumulator, and the last
    rounding give [r]. *)
Definition fneuron (bias : datum) (terms : list (datum * datum)) (r : datum) : Prop :=
  exists s m, fsums (widen bias) (map widen_term terms) s /\ r = convert m s.

Hypothesis wide : wider.

Lemma wide_emin : (SpecFloat.emin wide_prec wide_emax <= emin)%Z.
Proof. destruct wide. unfold SpecFloat.emin. lia. Qed.

Lemma value_wide : forall v, value v -> wide_value v.
Proof.
  intros v [F B]. destruct wide as [Hp He]. split.
  - apply FLT_format_generic in F; [|exact prec_positive]. destruct F as [[m e] -> Hm Hl].
    apply generic_format_FLT. exists (Float radix2 m e); [reflexivity| |].
    + apply Z.lt_le_trans with (1 := Hm). now apply Zpower_le.
    + apply Z.le_trans with (2 := Hl). exact wide_emin.
  - apply Rlt_le_trans with (1 := B). now apply bpow_le.
Qed.

Lemma widen_finite : forall x, is_finite x = true -> is_finite (widen x) = true /\ B2R (widen x) = B2R x.
Proof.
  intros x F. apply (convert_exactly prec emax wide_prec wide_emax _ _ mode_NE); [|now split].
  apply value_wide, value_of_datum; auto.
Qed.

Lemma widen_at_most : forall v x, at_most v x -> at_most v (widen x).
Proof. intros v x [-> | [F L]]; [now left|right]. destruct (widen_finite x F) as [G ->]. now split. Qed.

Lemma widen_at_least : forall v x, at_least v x -> at_least v (widen x).
Proof. intros v x [-> | [F L]]; [now left|right]. destruct (widen_finite x F) as [G ->]. now split. Qed.

Lemma widen_exactly : forall v x, exactly v x -> exactly v (widen x).
Proof. intros v x [F L]. destruct (widen_finite x F) as [G E]. split; [exact G|congruence]. Qed.

Lemma widen_product_at_most : forall v w x, product_at_most v w x -> product_at_most v (widen w) (widen x).
Proof.
  intros v w x (Fw & H). destruct (widen_finite w Fw) as [Gw Ew]. split; [exact Gw|]. rewrite Ew.
  destruct H as [[Fx L] | [N ->]]; [left|now right]. destruct (widen_finite x Fx) as [Gx ->]. now split.
Qed.

Lemma widen_product_at_least : forall v w x, product_at_least v w x -> product_at_least v (widen w) (widen x).
Proof.
  intros v w x (Fw & Fx & L). destruct (widen_finite w Fw) as [Gw Ew].
  destruct (widen_finite x Fx) as [Gx Ex].
  split; [exact Gw|split; [exact Gx|]]. now rewrite Ew, Ex.
Qed.

Lemma widen_product_exactly : forall v w x, product_exactly v w x -> product_exactly v (widen w) (widen x).
Proof.
  intros v w x (Fw & Fx & L). destruct (widen_finite w Fw) as [Gw Ew].
  destruct (widen_finite x Fx) as [Gx Ex].
  split; [exact Gw|split; [exact Gx|]]. now rewrite Ew, Ex.
Qed.

(** *** One term *)

Lemma neuron_pair_at_most : forall b w x u v r s, value u -> value v -> value r -> u + v <= r ->
  at_most u b -> product_at_most v w x -> fneuron b [(w, x)] s -> at_most r s.
Proof.
  intros b w x u v r s Vu Vv Vr C Hb Hp (s' & m & S & ->). apply convert_at_most; auto.
  apply (pair_at_most wide_prec wide_emax _ _ (widen b) (widen w) (widen x) u v); auto using value_wide.
  - now apply widen_at_most.
  - now apply widen_product_at_most.
Qed.

Lemma neuron_pair_at_least : forall b w x u v r s, value u -> value v -> value r -> r <= u + v ->
  at_least u b -> product_at_least v w x -> fneuron b [(w, x)] s -> at_least r s.
Proof.
  intros b w x u v r s Vu Vv Vr C Hb Hp (s' & m & S & ->). apply convert_at_least; auto.
  apply (pair_at_least wide_prec wide_emax _ _ (widen b) (widen w) (widen x) u v); auto using value_wide.
  - now apply widen_at_least.
  - now apply widen_product_at_least.
Qed.

(** *** Tallies *)

Definition widen_leaf (l : fleaf prec emax) : fleaf wide_prec wide_emax :=
  match l with
  | FNumber v => FNumber (widen v)
  | FProduct w x => FProduct (widen w) (widen x)
  end.

Lemma widen_leaves_of : forall bias terms,
  fleaves_of (widen bias) (map widen_term terms) = map widen_leaf (fleaves_of bias terms).
Proof.
  intros bias terms. unfold fleaves_of. simpl. f_equal. rewrite !map_map. apply map_ext. now intros [w x].
Qed.

Lemma widen_penalized : forall j l p n, penalized j l p n -> penalized j (widen_leaf l) p n.
Proof.
  assert (L : forall v l, of_leaf at_most product_at_most v l ->
    of_leaf at_most product_at_most v (widen_leaf l)).
  { intros v [x | w x]; [apply widen_at_most|apply widen_product_at_most]. }
  intros j l p n [(P & N & H) | [(P & N & H) | (P & N & H)]]; [left|right; left|right; right];
    (split; [exact P|split; [exact N|now apply L]]).
Qed.

Lemma widen_tally : forall j ls p n, tally (penalized j) ls p n ->
  tally (penalized j) (map widen_leaf ls) p n.
Proof.
  intros j ls p n T. induction T as [| l p n ls p' n' M T IH]; simpl; constructor; auto.
  now apply widen_penalized.
Qed.

(** R6 *)
Lemma neuron_dominated : forall bias terms r j n, (0 <= j <= prec)%Z -> (emin <= - j)%Z ->
  tally (penalized j) (fleaves_of bias terms) 1 n -> (2 ^ j <= n)%Z ->
  fneuron bias terms r -> at_most 0 r.
Proof.
  intros bias terms r j n Hj He T Hn (s & m & S & ->). apply convert_at_most; auto using value_0.
  pose proof wide_emin. destruct wide.
  apply fsums_dominated with (j := j) (n := n) (5 := S); auto; try lia.
  rewrite widen_leaves_of. now apply widen_tally.
Qed.

Lemma neuron_at_most_minus_one : forall bias terms r n,
  tally (penalized 0) (fleaves_of bias terms) 0 n -> (1 <= n)%Z ->
  fneuron bias terms r -> at_most (-1) r.
Proof.
  intros bias terms r n T Hn (s & m & S & ->).
  apply convert_at_most; auto; [apply (value_opp prec emax 1); now apply value_1|].
  apply fsums_at_most_minus_one with (n := n) (3 := S); auto.
  rewrite widen_leaves_of. now apply widen_tally.
Qed.

(** R7 *)
Lemma neuron_bias : forall m bias terms r, (Z.abs m <= 1)%Z -> exactly (IZR m) bias ->
  (forall w x, In (w, x) terms -> product_exactly 0 w x) -> fneuron bias terms r -> exactly (IZR m) r.
Proof.
  intros m bias terms r Hm Hb Ht (s & d & S & ->). apply convert_exactly; auto.
  - destruct Hb as [_ <-]. now apply value_of_datum.
  - apply (fsums_bias wide_prec wide_emax _ _) with (4 := S); auto; [now apply widen_exactly|].
    intros w x I. apply in_map_iff in I. destruct I as ([w' x'] & E & I). injection E as <- <-.
    apply widen_product_exactly. now apply Ht.
Qed.

(** R5 *)
Lemma neuron_total : forall bias terms r e, (emin <= e)%Z ->
  is_finite bias = true -> (forall w x, In (w, x) terms -> is_finite w = true /\ is_finite x = true) ->
  (exists m, B2R bias = IZR m * pow2 e) ->
  (forall w x, In (w, x) terms -> exists m, B2R w * B2R x = IZR m * pow2 e) ->
  let vs := B2R bias :: map (fun t => B2R (fst t) * B2R (snd t)) terms in
  positives vs <= pow2 prec * pow2 e -> negatives vs <= pow2 prec * pow2 e ->
  positives vs < pow2 emax -> negatives vs < pow2 emax ->
  fneuron bias terms r -> exactly (total vs) r.
Proof.
  intros bias terms r e He Fb Ft Mb Mt vs Pp Pn Bp Bn (s & m & S & ->).
  assert (G := bpow_gt_0 radix2 e). pose proof wide_emin as W. destruct wide as [Wp We].
  assert (E : B2R (widen bias) :: map (fun t => B2R (fst t) * B2R (snd t)) (map widen_term terms) = vs).
  { unfold vs. f_equal; [now apply widen_finite|]. rewrite map_map. apply map_ext_in. intros [w x] I.
    destruct (Ft w x I) as [Fw Fx]. simpl.
    destruct (widen_finite w Fw) as [_ ->]. now destruct (widen_finite x Fx) as [_ ->]. }
  assert (P : pow2 prec * pow2 e <= pow2 wide_prec * pow2 e).
  { apply Rmult_le_compat_r; [lra|]. now apply bpow_le. }
  assert (Q : pow2 emax <= pow2 wide_emax) by now apply bpow_le.
  apply convert_exactly; auto.
  - apply (value_total prec emax _ e); auto. intros v [<- | I]; [exact Mb|].
    apply in_map_iff in I. destruct I as ([w x] & <- & I). now apply Mt.
  - rewrite <- E. apply fsums_total with (e := e) (10 := S); auto; rewrite ?E; try lra.
    + lia.
    + now apply widen_finite.
    + intros w x I. apply in_map_iff in I. destruct I as ([w' x'] & J & I). injection J as <- <-.
      destruct (Ft w' x' I) as [Fw Fx]. split; now apply widen_finite.
    + destruct (widen_finite bias Fb) as [_ ->]. exact Mb.
    + intros w x I. apply in_map_iff in I. destruct I as ([w' x'] & J & I). injection J as <- <-.
      destruct (Ft w' x' I) as [Fw Fx].
      destruct (widen_finite w' Fw) as [_ ->]. destruct (widen_finite x' Fx) as [_ ->]. now apply Mt.
Qed.

End Accumulator.

(** ** Without an accumulator *)

Section Same.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

(** Within one format, nothing is converted. *)
Lemma convert_same : forall m (x : binary_float prec emax), convert m x = x.
Proof.
  intros m x. destruct x as [s | s | | s n e H] eqn:E; try reflexivity. rewrite <- E.
  assert (F : is_finite_strict x = true) by now subst.
  destruct (convert_exactly prec emax prec emax _ _ m (B2R x) x) as [G V].
  - now apply value_of_datum.
  - split; [now subst|reflexivity].
  - apply B2R_inj; [|exact F|exact V]. apply is_finite_strict_B2R. rewrite V. subst x. simpl.
    apply F2R_neq_0. now destruct s.
Qed.

(** If the accumulator is the format of the network, a neuron gives what its sums give. *)
Theorem neuron_without_accumulator : forall (bias : binary_float prec emax) terms r,
  fneuron prec emax prec emax _ _ _ _ bias terms r <-> fsums bias terms r.
Proof.
  intros bias terms r.
  assert (E : map (widen_term prec emax prec emax _ _) terms = terms).
  { rewrite <- map_id. apply map_ext. intros [w x]. unfold widen_term, widen. simpl.
    now rewrite !convert_same. }
  unfold fneuron, widen. rewrite E, convert_same. split.
  - intros (s & m & S & ->). now rewrite convert_same.
  - intros S. exists r, mode_NE. split; [exact S|]. now rewrite convert_same.
Qed.

End Same.

