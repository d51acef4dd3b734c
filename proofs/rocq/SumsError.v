(** * How far a sum can be off where it is not exact

    Each addition errs by at most [pow2 (1 - p)] of what it rounds, relative to it, and passes on the errors
    of its operands. So [m] terms that are not zero, of magnitude [M] in all, are summed with an error of at
    most [((1 + pow2 (1 - p)) ^ m - 1) * M], the last rounding of an accumulator included.

    There is no underflow error because all terms are multiples of one power of two that is a value, the
    least spacing of the format for one, and sums remain such: no format of Flocq rounds a multiple of a power
    of two to anything else. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums.

Import ListNotations.
Open Scope R_scope.

(** ** Multiples of a power of two *)

Lemma on_grid_plus : forall e u v, on_grid e u -> on_grid e v -> on_grid e (u + v).
Proof. intros e u v [m ->] [n ->]. exists (m + n)%Z. rewrite plus_IZR. ring. Qed.

Lemma on_grid_le : forall e f v, (e <= f)%Z -> on_grid f v -> on_grid e v.
Proof.
  intros e f v Hef [m ->]. exists (m * 2 ^ (f - e))%Z.
  change (2 ^ (f - e))%Z with (radix2 ^ (f - e))%Z.
  rewrite mult_IZR, IZR_Zpower, Rmult_assoc, <- bpow_plus by lia. do 2 f_equal. ring.
Qed.

(** Rounding keeps multiples of [pow2 e]. *)
Definition keeps_grid (A : arithmetic) (e : Z) : Prop :=
  forall t r, on_grid e t -> rounds A t r -> on_grid e r.

(** So does rounding in every format of Flocq: either the multiple is a value, or the values next to it are
    multiples of a larger power of two. *)
Lemma neighbour_on_grid : forall fexp e t r, on_grid e t -> neighbour fexp t r -> on_grid e r.
Proof.
  intros fexp e t r [m Hm] H. destruct (Zle_or_lt (cexp radix2 fexp t) e) as [Hle|Hlt].
  - assert (Ht : generic_format radix2 fexp t).
    { rewrite Hm. apply (generic_format_F2R' _ _ _ (Float radix2 m e)); [reflexivity|]. simpl.
      intros _. now rewrite Hm in Hle. }
    exists m. rewrite <- Hm. destruct H as [-> | ->]; apply round_generic; auto with typeclass_instances.
  - apply on_grid_le with (1 := Zlt_le_weak _ _ Hlt). destruct H as [-> | ->]; eexists; reflexivity.
Qed.

(** ** The error of one rounding *)

(** The values that a format is known to have next to a multiple of [pow2 e] are near it: on that grid, or on
    a coarser one of which it is at least [2 ^ (p - 1)] steps away from 0. An accumulator has them too. *)
Lemma rounds_relative : forall A B e t r, within A B -> value A (pow2 e) -> on_grid e t -> rounds B t r ->
  Rabs (r - t) <= pow2 (1 - precision A) * Rabs t.
Proof.
  intros A B e t r Hw He [m ->] Hr.
  set (p := precision A). assert (Hp : (0 < p)%Z) by apply precision_positive.
  destruct (Zle_or_lt (Z.abs m) (2 ^ p)) as [Hsmall|Hlarge].
  { rewrite (rounds_value_exact B _ _ (Hw _ (value_grid A m e He Hsmall)) Hr).
    rewrite Rminus_diag_eq, Rabs_R0 by reflexivity. apply Rmult_le_pos; [apply bpow_ge_0|apply Rabs_pos]. }
  set (k := (Z.log2 (Z.abs m) + 1 - p)%Z).
  assert (Hm : (0 < Z.abs m)%Z) by (pose proof (Z.pow_pos_nonneg 2 p); lia).
  destruct (Z.log2_spec _ Hm) as [Hlog1 Hlog2].
  assert (Hk : (0 < k)%Z).
  { enough (p <= Z.log2 (Z.abs m))%Z by (unfold k; lia). apply Z.log2_le_pow2; lia. }
  replace (Z.log2 (Z.abs m)) with (p - 1 + k)%Z in Hlog1 by (unfold k; ring).
  replace (Z.succ (Z.log2 (Z.abs m))) with (p + k)%Z in Hlog2 by (unfold k; ring).
  rewrite Z.pow_add_r in Hlog2 by lia.
  assert (Hpow : (0 < 2 ^ k)%Z) by (apply Z.pow_pos_nonneg; lia).
  set (n := (m / 2 ^ k)%Z).
  assert (Hn : (n * 2 ^ k <= m < (n + 1) * 2 ^ k)%Z).
  { pose proof (Z.div_mod m (2 ^ k)). pose proof (Z.mod_pos_bound m (2 ^ k) Hpow). fold n in H. nia. }
  assert (Hbound : (Z.abs n <= 2 ^ p /\ Z.abs (n + 1) <= 2 ^ p)%Z) by nia.
  assert (Hcoarse : value A (pow2 (k + e))) by (rewrite bpow_plus; apply value_scale; [lia|exact He]).
  assert (Hscale : forall i, IZR i * pow2 (k + e) = IZR (i * 2 ^ k) * pow2 e).
  { intros i. change (2 ^ k)%Z with (radix2 ^ k)%Z. rewrite mult_IZR, IZR_Zpower, bpow_plus by lia. ring. }
  assert (Hbelow : IZR n * pow2 (k + e) <= IZR m * pow2 e).
  { rewrite Hscale. apply Rmult_le_compat_r; [apply bpow_ge_0|apply IZR_le; lia]. }
  assert (Habove : IZR m * pow2 e <= IZR (n + 1) * pow2 (k + e)).
  { rewrite Hscale. apply Rmult_le_compat_r; [apply bpow_ge_0|apply IZR_le; lia]. }
  pose proof (rounds_down_to B _ _ _ (Hw _ (value_grid A n _ Hcoarse (proj1 Hbound))) Hr Hbelow).
  pose proof (rounds_up_to B _ _ _ (Hw _ (value_grid A (n + 1) _ Hcoarse (proj2 Hbound))) Hr Habove).
  rewrite plus_IZR in *. apply Rle_trans with (pow2 (k + e)).
  - apply Rabs_le. lra.
  - rewrite Rabs_mult, (Rabs_pos_eq (pow2 e)), <- abs_IZR by apply bpow_ge_0.
    replace (k + e)%Z with (1 - p + (p - 1 + k) + e)%Z by ring.
    rewrite !(bpow_plus _ _ e), (bpow_plus _ (1 - p)), <- Rmult_assoc.
    apply Rmult_le_compat_r; [apply bpow_ge_0|].
    apply Rmult_le_compat_l; [apply bpow_ge_0|]. rewrite <- IZR_Zpower by lia. now apply IZR_le.
Qed.

(** ** The error of a sum *)

(** The magnitude of some terms in all. *)
Definition magnitude (vs : list R) : R := total (map Rabs vs).

Definition is_nonzero (v : R) : bool := if Req_EM_T v 0 then false else true.

(** How many of them take part in the sum. *)
Definition nonzeros (vs : list R) : nat := length (filter is_nonzero vs).

Lemma magnitude_app : forall us vs, magnitude (us ++ vs) = magnitude us + magnitude vs.
Proof. intros us vs. unfold magnitude. now rewrite map_app, total_app. Qed.

Lemma magnitude_nonnegative : forall vs, 0 <= magnitude vs.
Proof. intros vs. apply total_nonnegative, Forall_map, Forall_forall. intros v _. apply Rabs_pos. Qed.

Lemma magnitude_permutation : forall us vs, Permutation us vs -> magnitude us = magnitude vs.
Proof. intros us vs Hp. now apply total_permutation, Permutation_map. Qed.

Lemma total_magnitude : forall vs, Rabs (total vs) <= magnitude vs.
Proof.
  unfold magnitude. induction vs as [|v vs IH]; simpl.
  - rewrite Rabs_R0. apply Rle_refl.
  - pose proof (Rabs_triang v (total vs)). lra.
Qed.

Lemma nonzeros_app : forall us vs, nonzeros (us ++ vs) = (nonzeros us + nonzeros vs)%nat.
Proof. intros us vs. unfold nonzeros. now rewrite filter_app, app_length. Qed.

Lemma nonzeros_permutation : forall us vs, Permutation us vs -> nonzeros us = nonzeros vs.
Proof.
  unfold nonzeros. induction 1 as [|v us vs _ IH|u v vs|us vs ws _ IH1 _ IH2]; simpl.
  - reflexivity.
  - destruct (is_nonzero v); simpl; now rewrite IH.
  - now destruct (is_nonzero u), (is_nonzero v).
  - now rewrite IH1.
Qed.

Lemma nonzeros_none : forall vs, nonzeros vs = 0%nat -> Forall (fun v => v = 0) vs.
Proof.
  unfold nonzeros. induction vs as [|v vs IH]; simpl; intros H; [constructor|].
  unfold is_nonzero at 1 in H. destruct (Req_EM_T v 0) as [Hv|_]; [|discriminate].
  constructor; [exact Hv|now apply IH].
Qed.

Lemma nonzeros_none_magnitude : forall vs, nonzeros vs = 0%nat -> magnitude vs = 0.
Proof.
  intros vs H. apply total_zeros, Forall_map. apply nonzeros_none in H. revert H.
  apply Forall_impl. intros v ->. apply Rabs_R0.
Qed.

(** The error after [n] roundings of a sum of magnitude [M]. *)
Definition error (eps : R) (n : nat) (M : R) : R := ((1 + eps) ^ n - 1) * M.

Lemma error_0 : forall eps M, error eps 0 M = 0.
Proof. intros eps M. unfold error. simpl. ring. Qed.

Lemma error_monotone : forall eps n m M, 0 <= eps -> (n <= m)%nat -> 0 <= M -> error eps n M <= error eps m M.
Proof.
  intros eps n m M Heps Hn HM. unfold error. apply Rmult_le_compat_r; [exact HM|].
  apply Rplus_le_compat_r, Rle_pow; [lra|exact Hn].
Qed.

(** One more rounding, of what is off by the error after [n] of them. *)
Lemma error_step : forall eps n M s t r, 0 <= eps ->
  Rabs t <= M -> Rabs (s - t) <= error eps n M -> Rabs (r - s) <= eps * Rabs s ->
  Rabs (r - t) <= error eps (S n) M.
Proof.
  intros eps n M s t r Heps Ht Hs Hr.
  assert (Hbig : Rabs s <= (1 + eps) ^ n * M).
  { replace s with (s - t + t) by ring. apply Rle_trans with (1 := Rabs_triang _ _).
    unfold error in Hs. lra. }
  replace (r - t) with (r - s + (s - t)) by ring. apply Rle_trans with (1 := Rabs_triang _ _).
  pose proof (Rmult_le_compat_l eps _ _ Heps Hbig). unfold error in *. simpl. lra.
Qed.

Section Sums.

(** A format [A], an accumulator [B] that has its values, and a grid that rounding in [B] keeps. *)
Variables A B : arithmetic.
Variable e : Z.
Hypothesis AB : within A B.
Hypothesis least : value A (pow2 e).
Hypothesis keeps : keeps_grid B e.

Notation eps := (pow2 (1 - precision A)).

(** What the terms are: values on the grid. *)
Definition term (v : R) : Prop := value A v /\ on_grid e v.

(** The additions of zeros lose nothing, so that of [n] terms that are not zero, [n - 1] roundings err. *)
Lemma evaluates_error : forall t r, Forall term (exacts t) -> evaluates B t r ->
  Rabs (r - total (exacts t)) <= error eps (Nat.pred (nonzeros (exacts t))) (magnitude (exacts t)) /\
  on_grid e r.
Proof.
  assert (Heps : 0 <= eps) by apply bpow_ge_0.
  intros t r Hterms H. revert Hterms.
  enough (Forall term (exacts t) ->
    Rabs (r - total (exacts t)) <= error eps (Nat.pred (nonzeros (exacts t))) (magnitude (exacts t)) /\
    on_grid e r /\ value B r) by tauto.
  apply (evaluates_leaves B (fun vs r => Forall term vs ->
    Rabs (r - total vs) <= error eps (Nat.pred (nonzeros vs)) (magnitude vs) /\ on_grid e r /\ value B r));
    [clear t r H..|exact H].
  - intros v Hv. inversion_clear Hv as [|? ? [Hvalue Hgrid] _]. repeat split; [|exact Hgrid|now apply AB].
    replace (Nat.pred (nonzeros [v])) with 0%nat by (unfold nonzeros; simpl; now destruct (is_nonzero v)).
    rewrite error_0. simpl. rewrite Rplus_0_r, Rminus_diag_eq, Rabs_R0 by reflexivity. apply Rle_refl.
  - intros v r Hr Hv. inversion_clear Hv as [|? ? [Hvalue Hgrid] _].
    rewrite (rounds_value_exact B v r (AB v Hvalue) Hr). repeat split; [|exact Hgrid|now apply AB].
    replace (Nat.pred (nonzeros [v])) with 0%nat by (unfold nonzeros; simpl; now destruct (is_nonzero v)).
    rewrite error_0. simpl. rewrite Rplus_0_r, Rminus_diag_eq, Rabs_R0 by reflexivity. apply Rle_refl.
  - intros us vs x y r Hx Hy Hr Hterms. apply Forall_app in Hterms. destruct Hterms as [Hus Hvs].
    destruct (Hx Hus) as (Hxe & Hxg & Hxv). destruct (Hy Hvs) as (Hye & Hyg & Hyv). clear Hx Hy.
    split; [|split].
    2: { apply (keeps (x + y)); [now apply on_grid_plus|exact Hr]. }
    2: { now apply rounds_value with (x + y). }
    rewrite total_app, magnitude_app, nonzeros_app.
    pose proof (total_magnitude us) as Hus'. pose proof (total_magnitude vs) as Hvs'.
    pose proof (magnitude_nonnegative us). pose proof (magnitude_nonnegative vs).
    destruct (nonzeros us) as [|n] eqn:Hn.
    { rewrite (total_zeros us) in * by now apply nonzeros_none.
      rewrite nonzeros_none_magnitude in * by exact Hn. simpl Nat.pred in Hxe. rewrite error_0 in Hxe.
      assert (x = 0) as -> by (revert Hxe; unfold Rabs; destruct Rcase_abs; lra).
      rewrite Rplus_0_l in Hr. rewrite (rounds_value_exact B y r Hyv Hr), !Rplus_0_l. exact Hye. }
    destruct (nonzeros vs) as [|m] eqn:Hm.
    { rewrite (total_zeros vs) in * by now apply nonzeros_none.
      rewrite (nonzeros_none_magnitude vs) in * by exact Hm. simpl Nat.pred in Hye. rewrite error_0 in Hye.
      assert (y = 0) as -> by (revert Hye; unfold Rabs; destruct Rcase_abs; lra).
      rewrite Rplus_0_r in Hr.
      rewrite (rounds_value_exact B x r Hxv Hr), !Rplus_0_r, Nat.add_0_r. exact Hxe. }
    replace (Nat.pred (S n + S m)) with (S (n + m)) by lia. simpl Nat.pred in Hxe, Hye.
    apply error_step with (x + y); [exact Heps|..].
    + apply Rle_trans with (1 := Rabs_triang _ _). lra.
    + replace (x + y - (total us + total vs)) with (x - total us + (y - total vs)) by ring.
      apply Rle_trans with (1 := Rabs_triang _ _).
      pose proof (error_monotone eps n (n + m) (magnitude us) Heps ltac:(lia) ltac:(assumption)).
      pose proof (error_monotone eps m (n + m) (magnitude vs) Heps ltac:(lia) ltac:(assumption)).
      unfold error in *. lra.
    + apply (rounds_relative A B e); try assumption. now apply on_grid_plus.
Qed.

Lemma sums_error : forall b ts r, Forall term (b :: products ts) -> sums B b ts r ->
  Rabs (r - (b + total (products ts)))
    <= error eps (Nat.pred (nonzeros (b :: products ts))) (magnitude (b :: products ts)) /\ on_grid e r.
Proof.
  intros b ts r Hterms (t & Hp & H). apply exacts_permutation in Hp.
  change (b + total (products ts)) with (total (b :: products ts)).
  rewrite <- (total_permutation _ _ Hp), <- (magnitude_permutation _ _ Hp), <- (nonzeros_permutation _ _ Hp).
  apply evaluates_error; [|exact H]. symmetry in Hp. exact (Permutation_Forall Hp Hterms).
Qed.

(** The last rounding is one more: in all as many as there are terms other than zero, at most [m]. *)
Theorem neuron_error : forall b ts r m,
  Forall term (b :: products ts) -> (nonzeros (b :: products ts) <= m)%nat -> neuron A B b ts r ->
  Rabs (r - (b + total (products ts))) <= error eps m (magnitude (b :: products ts)).
Proof.
  intros b ts r m Hterms Hm (s & H & Hr). apply sums_error in H; [|exact Hterms]. destruct H as [Hs Hgrid].
  apply Rle_trans with (2 := error_monotone eps _ m _ (bpow_ge_0 _ _) Hm (magnitude_nonnegative _)).
  assert (Ht := total_magnitude (b :: products ts)). simpl total in Ht.
  destruct (nonzeros (b :: products ts)) as [|n] eqn:Hn; simpl Nat.pred in Hs.
  - rewrite error_0 in *. apply nonzeros_none_magnitude in Hn. rewrite Hn in Ht.
    assert (Hzero : s = 0 /\ b + total (products ts) = 0).
    { revert Ht Hs. unfold Rabs. do 2 destruct Rcase_abs; lra. }
    destruct Hzero as [-> ->]. rewrite (rounds_value_exact A 0 r (value_0 A) Hr), Rminus_0_r, Rabs_R0.
    apply Rle_refl.
  - apply error_step with s; [apply bpow_ge_0|exact Ht|exact Hs|].
    apply (rounds_relative A A e); [now intros v|exact least|exact Hgrid|exact Hr].
Qed.

End Sums.

(** ** In the formats of Flocq *)

Lemma format_keeps_grid : forall A fexp {valid : Valid_exp fexp} e,
  (forall v, value A v <-> generic_format radix2 fexp v) -> keeps_grid A e.
Proof.
  intros A fexp valid e HA t r Ht Hr. apply (neighbour_on_grid fexp e t); [exact Ht|].
  now apply (rounds_neighbour fexp A).
Qed.

(** With gradual underflow, all values are multiples of the least one. *)
Lemma FLT_on_grid : forall emin prec v, generic_format radix2 (FLT_exp emin prec) v -> on_grid emin v.
Proof.
  intros emin prec v Hv. apply on_grid_le with (cexp radix2 (FLT_exp emin prec) v).
  - apply Z.le_max_r.
  - eexists. exact Hv.
Qed.

(** Without a least value, finitely many values are still multiples of one power of two. *)
Lemma FLX_on_grid : forall prec vs, Forall (generic_format radix2 (FLX_exp prec)) vs ->
  exists e, Forall (on_grid e) vs.
Proof.
  intros prec vs. induction 1 as [|v vs Hv _ [e He]].
  - now exists 0%Z.
  - exists (Z.min e (cexp radix2 (FLX_exp prec) v)). constructor.
    + apply on_grid_le with (1 := Z.le_min_r _ _). eexists. exact Hv.
    + revert He. apply Forall_impl. intros u. apply on_grid_le, Z.le_min_l.
Qed.

Section Formats.

(** The values of [A] and of its accumulator [B] are formats of Flocq, and [B] may be [A]. *)
Variables A B : arithmetic.
Variables fexp accumulator : Z -> Z.
Context {valid : Valid_exp accumulator}.
Hypothesis A_format : forall v, value A v <-> generic_format radix2 fexp v.
Hypothesis B_format : forall v, value B v <-> generic_format radix2 accumulator v.
Hypothesis AB : within A B.

Lemma neuron_error_format : forall e b ts r m, value A (pow2 e) ->
  Forall (value A) (b :: products ts) -> Forall (on_grid e) (b :: products ts) ->
  (nonzeros (b :: products ts) <= m)%nat -> neuron A B b ts r ->
  Rabs (r - (b + total (products ts))) <= error (pow2 (1 - precision A)) m (magnitude (b :: products ts)).
Proof.
  intros e b ts r m Hleast Hvalues Hgrid. apply (neuron_error A B e AB Hleast).
  - now apply (format_keeps_grid B accumulator).
  - now apply Forall_and.
Qed.

Theorem neuron_error_FLT : forall emin prec b ts r m, fexp = FLT_exp emin prec -> (0 < prec)%Z ->
  value A b -> (forall w x, In (w, x) ts -> value A (w * x)) ->
  (nonzeros (b :: products ts) <= m)%nat -> neuron A B b ts r ->
  Rabs (r - (b + total (products ts))) <= error (pow2 (1 - precision A)) m (magnitude (b :: products ts)).
Proof.
  intros emin prec b ts r m Hfexp Hprec Hb Hts. apply forall_products in Hts.
  assert (Hvalues : Forall (value A) (b :: products ts)) by now constructor.
  apply (neuron_error_format emin); [|exact Hvalues|].
  - apply A_format. rewrite Hfexp. apply generic_format_FLT_bpow; [exact Hprec|apply Z.le_refl].
  - revert Hvalues. apply Forall_impl. intros v Hv. apply (FLT_on_grid emin prec). rewrite <- Hfexp.
    now apply A_format.
Qed.

Theorem neuron_error_FLX : forall prec b ts r m, fexp = FLX_exp prec -> (0 < prec)%Z ->
  value A b -> (forall w x, In (w, x) ts -> value A (w * x)) ->
  (nonzeros (b :: products ts) <= m)%nat -> neuron A B b ts r ->
  Rabs (r - (b + total (products ts))) <= error (pow2 (1 - precision A)) m (magnitude (b :: products ts)).
Proof.
  intros prec b ts r m Hfexp Hprec Hb Hts. apply forall_products in Hts.
  assert (Hvalues : Forall (value A) (b :: products ts)) by now constructor.
  destruct (FLX_on_grid prec (b :: products ts)) as [e He].
  - revert Hvalues. apply Forall_impl. intros v Hv. rewrite <- Hfexp. now apply A_format.
  - apply (neuron_error_format e); [|exact Hvalues|exact He].
    apply A_format. rewrite Hfexp. apply generic_format_bpow. unfold FLX_exp. lia.
Qed.

End Formats.
