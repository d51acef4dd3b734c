(** * Thresholds at zero, with unbounded exponents

    [Underflow] looks at one unit and one box. Here are whole layers: as many ReLU units with the threshold 0
    as one likes, with any weights, and boxes with any weights over them, in any order of the sums, on any
    path, and with an accumulator. Some value below zero has all boxes open. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums Network Formats Underflow.

Import ListNotations.
Open Scope R_scope.

(** ** Sums of tiny terms *)

Definition size (vs : list R) : Z := Z.of_nat (length vs).

Lemma size_app : forall us vs, size (us ++ vs) = (size us + size vs)%Z.
Proof. intros us vs. unfold size. rewrite app_length. lia. Qed.

Lemma pow2_sum : forall a b c, (a < c)%Z -> (b < c)%Z -> pow2 a + pow2 b <= pow2 c.
Proof.
  intros a b c Ha Hb.
  assert (pow2 a <= pow2 (c - 1)) by (apply bpow_le; lia).
  assert (pow2 b <= pow2 (c - 1)) by (apply bpow_le; lia).
  assert (pow2 c = 2 * pow2 (c - 1)).
  { replace c with (1 + (c - 1))%Z at 1 by lia. now rewrite bpow_plus. }
  lra.
Qed.

Section Tiny.

Variable prec : Z.
Hypothesis precision_positive : (0 < prec)%Z.

Notation A := (FLX_arithmetic prec precision_positive).

Lemma rounds_to_at_most : forall e t r, t <= pow2 e -> rounds A t r -> r <= pow2 e.
Proof. intros e t r Ht H. exact (rounds_up_to A _ _ _ (FLX_power prec precision_positive e) H Ht). Qed.

Lemma rounds_to_at_least : forall e t r, - pow2 e <= t -> rounds A t r -> - pow2 e <= r.
Proof.
  intros e t r Ht H. apply (rounds_down_to A _ t); [ | exact H | exact Ht ].
  apply value_opp, FLX_power.
Qed.

(** Every addition at most doubles the bound of its operands. *)
Lemma evaluates_tiny : forall e t r, Forall (fun v => v <= pow2 e) (exacts t) ->
  evaluates A t r -> (1 <= size (exacts t))%Z /\ r <= pow2 (e + size (exacts t)).
Proof.
  intros e t r Hsmall H. revert Hsmall.
  apply (evaluates_leaves A (fun vs r => Forall (fun v => v <= pow2 e) vs ->
    (1 <= size vs)%Z /\ r <= pow2 (e + size vs))); [ | | | exact H ].
  - intros v Hv. apply Forall_inv in Hv. split; [ now compute | ].
    apply Rle_trans with (1 := Hv). apply bpow_le. unfold size; simpl. lia.
  - intros v r' Hr Hv. apply Forall_inv in Hv. split; [ now compute | ].
    apply Rle_trans with (1 := rounds_to_at_most e v r' Hv Hr). apply bpow_le. unfold size; simpl. lia.
  - intros us vs x y r' IHx IHy Hr Hall. apply Forall_app in Hall as [Hu Hv].
    destruct (IHx Hu) as [Nu Bx]. destruct (IHy Hv) as [Nv By]. rewrite size_app. split; [ lia | ].
    apply (rounds_to_at_most _ (x + y)); [ | exact Hr ].
    apply Rle_trans with (pow2 (e + size us) + pow2 (e + size vs)); [ lra | ].
    apply pow2_sum; lia.
Qed.

(** A sum with a 1 among its leaves loses at most half of what it has in every addition, if the other leaves
    are tiny enough below zero. *)
Lemma evaluates_open : forall e t r, Forall (fun v => - pow2 e <= v) (exacts t) ->
  Exists (fun v => 1 <= v) (exacts t) -> (e < - size (exacts t))%Z ->
  evaluates A t r -> pow2 (- size (exacts t)) <= r.
Proof.
  intros e t r Hsmall Hone He H. revert Hsmall Hone He.
  set (P := fun vs r => Forall (fun v => - pow2 e <= v) vs -> (e < - size vs)%Z ->
    (1 <= size vs)%Z /\ - pow2 (e + size vs) <= r /\ (Exists (fun v => 1 <= v) vs -> pow2 (- size vs) <= r)).
  enough (HP : P (exacts t) r) by (intros Hsmall Hone He; now apply (HP Hsmall He)).
  assert (leaf : forall v r', - pow2 e <= r' -> (1 <= v -> 1 <= r') -> P [v] r').
  { intros v r' Hlow Hhigh _ _. split; [ now compute | split ].
    - apply Rle_trans with (2 := Hlow). apply Ropp_le_contravar, bpow_le. unfold size; simpl. lia.
    - intros Hone. apply Exists_cons in Hone as [Hone | Hone]; [ | now apply Exists_nil in Hone ].
      apply Rle_trans with (2 := Hhigh Hone). apply (bpow_le radix2 (-1) 0). lia. }
  assert (open : forall n m, (1 <= n)%Z -> (1 <= m)%Z -> (e < - (n + m))%Z -> forall x y,
    pow2 (- n) <= x -> - pow2 (e + m) <= y -> pow2 (- (n + m)) <= x + y).
  { intros n m Hn Hm Hnm x y Hx Hy.
    assert (pow2 (- (n + m)) + pow2 (e + m) <= pow2 (- n)) by (apply pow2_sum; lia). lra. }
  revert H. apply (evaluates_leaves A P).
  - intros v Hsmall. pose proof (Forall_inv Hsmall) as Hv. revert Hsmall. now apply leaf.
  - intros v r' Hr Hsmall. pose proof (Forall_inv Hsmall) as Hv. revert Hsmall. apply leaf.
    + now apply (rounds_to_at_least e v).
    + intros Hone. now apply (rounds_down_to A 1 v); [ apply value_1 | | ].
  - intros us vs x y r' IHx IHy Hr Hall. apply Forall_app in Hall as [Hu Hv]. rewrite size_app. intros He.
    assert (size us >= 0)%Z by (unfold size; lia). assert (size vs >= 0)%Z by (unfold size; lia).
    destruct (IHx Hu ltac:(lia)) as (Nu & Lx & Ox). destruct (IHy Hv ltac:(lia)) as (Nv & Ly & Oy).
    split; [ lia | split ].
    + apply (rounds_to_at_least _ (x + y)); [ | exact Hr ].
      assert (pow2 (e + size us) + pow2 (e + size vs) <= pow2 (e + (size us + size vs)))
        by (apply pow2_sum; lia). lra.
    + intros Hone. apply (rounds_down_to A _ (x + y)); [ apply FLX_power | exact Hr | ].
      apply Exists_app in Hone as [Hone | Hone].
      * apply open; auto.
      * rewrite Rplus_comm, Z.add_comm. apply open; auto. lia.
Qed.

End Tiny.

(** ** Layers *)

(** Finitely many reals are bounded by a power of two. *)
Lemma bounded : forall ws, exists m, forall w, In w ws -> Rabs w <= pow2 m.
Proof.
  induction ws as [| w ws [m IH]]; [ now exists 0%Z | ].
  exists (Z.max m (mag radix2 w)). intros w' [<- | I].
  - apply Rlt_le, Rlt_le_trans with (1 := bpow_mag_gt radix2 w). apply bpow_le. lia.
  - apply Rle_trans with (1 := IH w' I). apply bpow_le. lia.
Qed.

(** All weights of a layer. *)
Definition all_weights (cells : layer) : list R := flat_map (fun c => map snd (weights c)) cells.

Lemma in_all_weights : forall cells c j w, In c cells -> In (j, w) (weights c) -> In w (all_weights cells).
Proof.
  intros cells c j w Hc Hw. apply in_flat_map. exists c. split; [ exact Hc | ].
  now apply (in_map snd _ (j, w)).
Qed.

Lemma cell_size : forall cells c, In c cells -> (length (weights c) <= length (all_weights cells))%nat.
Proof.
  intros cells c. induction cells as [| d cells IH]; [ easy | ].
  intros [<- | I]; unfold all_weights in *; simpl; rewrite app_length, map_length; [ lia | ].
  specialize (IH I). lia.
Qed.

(** A unit with the threshold 0, on either side, and any weight. *)
Definition zero_unit (j : nat) (c : cell) : Prop := bias c = 0 /\ exists w, weights c = [(j, w)].

(** However many such units there are over an input, and however boxes weigh them: some value below zero has
    all the boxes that read nothing else open, on all paths. *)
Theorem zero_boxes_stay_open : forall p q Hp Hq (units boxes : layer) j,
  (forall b, In b boxes -> bias b = 1 /\
    forall n w, In (n, w) (weights b) -> exists c, nth_error units n = Some c /\ zero_unit j c) ->
  exists v, value (FLX_arithmetic p Hp) v /\ v < 0 /\ forall x u h, x j = v ->
    gives (FLX_arithmetic p Hp) (FLX_arithmetic q Hq) Relu units x u ->
    gives (FLX_arithmetic p Hp) (FLX_arithmetic q Hq) Relu boxes u h ->
    forall i, (i < length boxes)%nat -> 0 < h i.
Proof.
  intros p q Hp Hq units boxes j Hboxes.
  destruct (bounded (all_weights units)) as [k Hk]. destruct (bounded (all_weights boxes)) as [w Hw].
  set (e := (- Z.of_nat (length (all_weights boxes)) - 2)%Z). set (a := (e - w - 2)%Z).
  exists (- pow2 (a - k)). split; [ apply value_opp, FLX_power | split ].
  { pose proof (bpow_gt_0 radix2 (a - k)). lra. }
  intros x u h Hx Hu Hh i Hi.
  (* what units give is tiny *)
  assert (tiny : forall n c, nth_error units n = Some c -> zero_unit j c -> 0 <= u n <= pow2 (a + 2)).
  { intros n c E (Hbias & v & Hv).
    destruct (Hu n c E) as (r & (s & (t & Ht & Hs) & Hr) & ->). apply nth_error_In in E. simpl.
    split; [ apply Rmax_r | ].
    apply Rmax_lub; [ | apply bpow_ge_0 ].
    apply (rounds_to_at_most p Hp _ s); [ | exact Hr ].
    apply exacts_permutation in Ht. unfold terms in Ht.
    rewrite Hbias, Hv in Ht. simpl in Ht. rewrite Hx in Ht.
    assert (Hsize : size (exacts t) = 2%Z) by (unfold size; now rewrite (Permutation_length Ht)).
    rewrite <- Hsize. apply (evaluates_tiny q Hq); [ | exact Hs ].
    apply (Permutation_Forall (Permutation_sym Ht)).
    apply Forall_cons; [ apply bpow_ge_0 | apply Forall_cons; [ | apply Forall_nil ] ].
    apply Rle_trans with (1 := Rle_abs _). rewrite Rabs_mult, Rabs_Ropp.
    rewrite (Rabs_pos_eq (pow2 _)) by apply bpow_ge_0.
    replace a with (k + (a - k))%Z at 2 by lia. rewrite bpow_plus.
    apply Rmult_le_compat_r; [ apply bpow_ge_0 | ].
    apply Hk, (in_all_weights units c j v E). rewrite Hv. now left. }
  (* so the penalties are *)
  destruct (nth_error boxes i) as [b | ] eqn:E; [ | apply nth_error_None in E; lia ].
  destruct (Hh i b E) as (r & (s & (t & Ht & Hs) & Hr) & ->). apply nth_error_In in E.
  destruct (Hboxes b E) as [Hbias Hread]. simpl. apply Rlt_le_trans with (2 := Rmax_l r 0).
  apply exacts_permutation in Ht. rewrite Hbias in Ht.
  assert (Hsize : (size (exacts t) <= Z.of_nat (length (all_weights boxes)) + 1)%Z).
  { unfold size. rewrite (Permutation_length Ht). unfold products, terms. simpl. rewrite !map_length.
    pose proof (cell_size boxes b E). lia. }
  apply Rlt_le_trans with (pow2 (- size (exacts t))); [ apply bpow_gt_0 | ].
  apply (rounds_down_to (FLX_arithmetic p Hp) _ s); [ apply FLX_power | exact Hr | ].
  apply (evaluates_open q Hq e); [ | | lia | exact Hs ].
  - apply (Permutation_Forall (Permutation_sym Ht)). constructor.
    { pose proof (bpow_gt_0 radix2 e). lra. }
    apply forall_products. intros y z I. apply in_map_iff in I as ([n y'] & Heq & I). injection Heq as -> <-.
    destruct (Hread n y I) as (c & Ec & Hc). destruct (tiny n c Ec Hc) as [U0 U1].
    assert (Rabs (y * u n) <= pow2 e).
    { rewrite Rabs_mult, (Rabs_pos_eq (u n)) by exact U0.
      replace e with (w + (a + 2))%Z by (unfold a; lia). rewrite bpow_plus.
      apply Rmult_le_compat; [ apply Rabs_pos | exact U0 | | exact U1 ].
      exact (Hw y (in_all_weights boxes b n y E I)). }
    apply Rabs_le_inv in H. lra.
  - apply (Permutation_Exists (Permutation_sym Ht)). left. apply Rle_refl.
Qed.
