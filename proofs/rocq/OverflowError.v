(** * Bounded exponents, with infinities: sums that are not exact

    As long as the bound of [SumsError] stays within the format, nothing overflows, and a path over data is
    one over values without a largest one: whatever holds of those holds of it. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool Arith.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Rounding Trees Sums SumsError Network Formats.
From Roundproof Require Import Units Boxes BoxNetwork.
From Roundproof Require Import Overflow OverflowSums OverflowGrid OverflowAccumulator.
From Roundproof Require Import OverflowUnits OverflowBoxes OverflowNetwork.

Import ListNotations.
Open Scope R_scope.

(** ** Paths that do not overflow *)

Section Paths.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

Notation fexp := (SpecFloat.fexp prec emax).
Notation datum := (binary_float prec emax).
Notation unbounded := (OverflowUnits.unbounded prec emax prec_positive prec_below_emax).

Local Instance valid_fexp : Valid_exp fexp := FLT_exp_valid (SpecFloat.emin prec emax) prec.

Definition real_leaf (l : fleaf prec emax) : leaf :=
  match l with FNumber v => Number (B2R v) | FProduct w x => Product (B2R w) (B2R x) end.

Fixpoint real_tree (t : ftree prec emax) : tree :=
  match t with FLeaf l => Leaf (real_leaf l) | FAdd a b => Add (real_tree a) (real_tree b) end.

(** Whatever path the tree and its subtrees take, nothing is beyond the largest value. *)
Fixpoint stays (t : ftree prec emax) : Prop :=
  (forall v, evaluates unbounded (real_tree t) v -> Rabs v < pow2 emax) /\
  match t with FLeaf _ => True | FAdd a b => stays a /\ stays b end.

Lemma rounding_is_a_neighbour : forall m t, rounds unbounded t (round radix2 fexp (round_mode m) t).
Proof. intros m t. apply (neighbour_round fexp). apply valid_rnd_round_mode. Qed.

Lemma delivers_within : forall m t r, Rabs (round radix2 fexp (round_mode m) t) < pow2 emax ->
  delivers prec emax m t r -> is_finite r = true /\ B2R r = round radix2 fexp (round_mode m) t.
Proof. intros m t r B. unfold delivers. now rewrite Rlt_bool_true. Qed.

Lemma path_without_overflow : forall t r, fevaluates t r -> (forall l, In l (fleaves t) -> finite_leaf l) ->
  stays t -> is_finite r = true /\ evaluates unbounded (real_tree t) (B2R r).
Proof.
  induction 1 as [v | m w x | m a b x y _ IHa _ IHb | m w x b y _ IHb | m a y w x _ IHa]; intros F S.
  - split; [apply (F (FNumber v)); now left|constructor].
  - destruct (F (FProduct w x)) as [Fw Fx]; [now left|]. destruct S as [S _].
    assert (E : evaluates unbounded (real_tree (FLeaf (FProduct w x)))
      (round radix2 fexp (round_mode m) (B2R w * B2R x))) by (constructor; apply rounding_is_a_neighbour).
    destruct (delivers_within m _ _ (S _ E) (mult_delivers prec emax _ _ m w x Fw Fx)) as [G V].
    split; [exact G|]. now rewrite V.
  - destruct S as (S & Sa & Sb). destruct IHa as [Fa Ea]; auto; [intros l I; apply F, in_or_app; now left|].
    destruct IHb as [Fb Eb]; auto; [intros l I; apply F, in_or_app; now right|].
    assert (E : evaluates unbounded (real_tree (FAdd a b)) (round radix2 fexp (round_mode m) (B2R x + B2R y)))
      by (apply evaluates_add with (B2R x) (B2R y); auto; apply rounding_is_a_neighbour).
    destruct (delivers_within m _ _ (S _ E) (plus_delivers prec emax _ _ m x y Fa Fb)) as [G V].
    split; [exact G|]. now rewrite V.
  - destruct S as (S & _ & Sb). destruct IHb as [Fb Eb]; auto; [intros l I; apply F, in_or_app; now right|].
    destruct (F (FProduct w x)) as [Fw Fx]; [now left|].
    assert (E : evaluates unbounded (real_tree (FAdd (FLeaf (FProduct w x)) b))
      (round radix2 fexp (round_mode m) (B2R w * B2R x + B2R y)))
      by (apply evaluates_contracted_left with (B2R y); auto; apply rounding_is_a_neighbour).
    destruct (delivers_within m _ _ (S _ E) (fma_delivers prec emax _ _ m w x y Fw Fx Fb)) as [G V].
    split; [exact G|]. now rewrite V.
  - destruct S as (S & Sa & _). destruct IHa as [Fa Ea]; auto; [intros l I; apply F, in_or_app; now left|].
    destruct (F (FProduct w x)) as [Fw Fx]; [apply in_or_app; right; now left|].
    assert (E : evaluates unbounded (real_tree (FAdd a (FLeaf (FProduct w x))))
      (round radix2 fexp (round_mode m) (B2R w * B2R x + B2R y)))
      by (apply evaluates_contracted_right with (B2R y); auto; rewrite Rplus_comm;
        apply rounding_is_a_neighbour).
    destruct (delivers_within m _ _ (S _ E) (fma_delivers prec emax _ _ m w x y Fw Fx Fa)) as [G V].
    split; [exact G|]. now rewrite V.
Qed.

Lemma real_leaves : forall t, leaves (real_tree t) = map real_leaf (fleaves t).
Proof. induction t as [l | a IHa b IHb]; [easy|]. simpl. now rewrite IHa, IHb, map_app. Qed.

Section Bound.

(** The terms are values of [A] on the grid of [2^e]; at most [n] of them are not zero. *)
Variables (A : arithmetic) (e : Z) (n : nat).
Hypothesis AB : within A unbounded.
Hypothesis grid : Arithmetic.value A (pow2 e).

Notation eps := (pow2 (1 - precision A)).

Lemma path_bound : forall t v, Forall (term A e) (exacts t) -> (nonzeros (exacts t) <= n)%nat ->
  evaluates unbounded t v -> Rabs v <= (1 + eps) ^ n * magnitude (exacts t).
Proof.
  intros t v T N E. apply (evaluates_error A unbounded e) in E; auto.
  - destruct E as [E _]. pose proof (total_magnitude (exacts t)) as U.
    pose proof (error_monotone eps (Nat.pred (nonzeros (exacts t))) n _ (bpow_ge_0 _ _) ltac:(lia)
      (magnitude_nonnegative (exacts t))) as K. unfold error in *.
    pose proof (Rabs_triang (v - total (exacts t)) (total (exacts t))) as W.
    replace (v - total (exacts t) + total (exacts t)) with v in W by ring. lra.
  - intros x r. apply (neighbour_on_grid fexp).
Qed.

(** The bound of [SumsError] keeps a tree within the format. *)
Lemma bound_stays : forall t, Forall (term A e) (exacts (real_tree t)) ->
  (nonzeros (exacts (real_tree t)) <= n)%nat ->
  (1 + eps) ^ n * magnitude (exacts (real_tree t)) < pow2 emax -> stays t.
Proof.
  assert (One : 1 <= (1 + eps) ^ n) by (apply pow_R1_Rle; generalize (bpow_ge_0 radix2 (1 - precision A));
    lra).
  induction t as [l | a IHa b IHb]; intros T N M.
  - split; [|easy]. intros v E. apply Rle_lt_trans with (2 := M). now apply path_bound.
  - split; [intros v E; apply Rle_lt_trans with (2 := M); now apply path_bound|].
    unfold exacts in *. simpl leaves in *. rewrite map_app in *. rewrite nonzeros_app in N.
    rewrite magnitude_app in M. apply Forall_app in T. destruct T as [Ta Tb].
    pose proof (magnitude_nonnegative (map exact (leaves (real_tree a)))).
    pose proof (magnitude_nonnegative (map exact (leaves (real_tree b)))).
    split; [apply IHa|apply IHb]; auto; (lia || nra).
Qed.

End Bound.

End Paths.

(** ** Neurons and networks *)

Section Network.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

(** The accumulator, at least as wide; the same format if there is none. *)
Variable wide_prec wide_emax : Z.
Context (wide_prec_positive : Prec_gt_0 wide_prec) (wide_prec_below_emax : Prec_lt_emax wide_prec wide_emax).
Hypothesis wide : wider prec emax wide_prec wide_emax.

Notation datum := (binary_float prec emax).
Notation fneuron := (OverflowAccumulator.fneuron prec emax wide_prec wide_emax _ _ _ _).
Notation A := (OverflowUnits.unbounded prec emax prec_positive prec_below_emax).
Notation B := (OverflowUnits.unbounded wide_prec wide_emax wide_prec_positive wide_prec_below_emax).
Notation eps := (pow2 (1 - prec)).

Lemma within_wide : within A B.
Proof.
  intros v F. destruct wide as [Hp He]. apply FLT_format_generic in F; [|exact prec_positive].
  destruct F as [[m e] -> Hm Hl]. apply generic_format_FLT. exists (Float radix2 m e); [reflexivity| |].
  - apply Z.lt_le_trans with (1 := Hm). now apply Zpower_le.
  - apply Z.le_trans with (2 := Hl). now apply wide_emin.
Qed.

Definition real_term (t : datum * datum) : R * R := (B2R (fst t), B2R (snd t)).

(** Within the format, a neuron over data gives what it gives over values, and that is finite. *)
Theorem neuron_without_overflow : forall e m bias terms r, Arithmetic.value A (pow2 e) ->
  is_finite bias = true -> (forall w x, In (w, x) terms -> is_finite w = true /\ is_finite x = true) ->
  let vs := B2R bias :: products (map real_term terms) in
  Forall (term A e) vs -> (nonzeros vs <= m)%nat -> (1 + eps) ^ m * magnitude vs < pow2 emax ->
  fneuron bias terms r -> is_finite r = true /\ neuron A B (B2R bias) (map real_term terms) (B2R r).
Proof.
  intros e m bias terms r Ve Fb Ft vs T N M (s & d & (t & P & E) & ->).
  rewrite widen_leaves_of in P.
  assert (W : forall x : datum, is_finite x = true ->
    is_finite (widen prec emax wide_prec wide_emax _ _ x) = true /\
    B2R (widen prec emax wide_prec wide_emax _ _ x) = B2R x)
    by (intros x; now apply (widen_finite prec emax wide_prec wide_emax _ _ _ wide)).
  assert (F : forall l, In l (fleaves t) -> finite_leaf l).
  { intros l I. apply (Permutation_in l P) in I. destruct I as [<- | I]; [now apply W|].
    apply in_map_iff in I. destruct I as (k & <- & I). apply in_map_iff in I. destruct I as ([w x] & <- & I).
    destruct (Ft w x I). split; now apply W. }
  assert (Q : Permutation (leaves (real_tree wide_prec wide_emax t))
    (leaves_of (B2R bias) (map real_term terms))).
  { rewrite real_leaves. apply (Permutation_map (real_leaf wide_prec wide_emax)) in P.
    apply Permutation_trans with (1 := P). unfold fleaves_of, leaves_of. simpl.
    rewrite (proj2 (W bias Fb)), !map_map. apply Permutation_refl'. f_equal. apply map_ext_in. intros [w x] I.
    destruct (Ft w x I) as [Fw Fx]. simpl. now rewrite (proj2 (W w Fw)), (proj2 (W x Fx)). }
  assert (X : Permutation (exacts (real_tree wide_prec wide_emax t)) vs) by now apply exacts_permutation.
  assert (S : stays wide_prec wide_emax _ _ t).
  { apply (bound_stays wide_prec wide_emax _ _ A e m); auto.
    - exact within_wide.
    - symmetry in X. exact (Permutation_Forall X T).
    - now rewrite (nonzeros_permutation _ _ X).
    - rewrite (magnitude_permutation _ _ X). apply Rlt_le_trans with (1 := M). apply bpow_le. apply wide. }
  destruct (path_without_overflow wide_prec wide_emax _ _ t s E F S) as [Fs Es].
  set (v := round radix2 (SpecFloat.fexp prec emax) (round_mode d) (B2R s)).
  assert (K : neuron A B (B2R bias) (map real_term terms) v).
  { exists (B2R s). split; [exists (real_tree wide_prec wide_emax t); now split|].
    apply rounding_is_a_neighbour. }
  assert (L : Rabs v < pow2 emax).
  { apply (neuron_error A B e within_wide Ve) with (m := m) in K; auto.
    - change (B2R bias + total (products (map real_term terms))) with (total vs) in K.
      fold vs in K. pose proof (total_magnitude vs) as U. unfold error in K. simpl precision in K.
      pose proof (Rabs_triang (v - total vs) (total vs)) as Y.
      replace (v - total vs + total vs) with v in Y by ring. lra.
    - intros x r. apply (neighbour_on_grid (SpecFloat.fexp wide_prec wide_emax)). }
  destruct (delivers_within prec emax d (B2R s) (convert d s) L) as [G V].
  { now apply convert_delivers. }
  split; [exact G|]. now rewrite V.
Qed.

(** Where the sum is not exact, every path over data is finite and within the bound of [SumsError], if the sum
    has room for it ([SumRange]). *)
Theorem box_network_error_with_overflow : forall D n units scale x o c e m,
  frecognised prec emax _ _ D n units scale -> D (real_input x) -> (forall j, is_finite (x j) = true) ->
  nth_error (flast prec emax n) o = Some c -> Arithmetic.value A (pow2 e) ->
  let vs := bias (real_cell c) :: labels (real_network prec emax n) units (real_input x) (real_cell c) in
  Forall (term A e) vs -> (nonzeros vs <= m)%nat -> (1 + eps) ^ m * magnitude vs < pow2 emax ->
  forall y, fcomputes prec emax _ _ wide_prec wide_emax _ _ n x y ->
  is_finite (y o) = true /\ Rabs (B2R (y o) - total vs) <= error eps m (magnitude vs).
Proof.
  intros D n units scale x o c e m R Dx Fx E Ve vs T N M y (u & h & U & H & Y).
  destruct (Y o c E) as (r & S & ->). simpl factivate.
  set (k := around (real_network prec emax n) units (real_input x)).
  assert (I : forall b w, In (b, w) (fweights c) -> exactly (if k b then 1 else 0) (h b)).
  { intros b w J. destruct (nth_error (fsecond prec emax n) b) as [c' |] eqn:Eb.
    - destruct (H b c' Eb) as (s & Ss & ->).
      now apply (second_layer_tells prec emax _ _ _ _ _ _ wide D n units scale x R Dx Fx u U b c').
    - apply nth_error_None in Eb. apply real_weight_in in J.
      pose proof (last_reads _ _ _ _ _ (recognised_unbounded _ _ _ _ _ _ _ _ R) o _ b _
        (real_layer prec emax _ _ _ E) J) as K.
      simpl in K. rewrite map_length in K. lia. }
  assert (F : finite_cell c).
  { apply (stored_finite _ _ _ _ _ _ _ _ R), in_or_app. right. apply in_or_app. right.
    now apply nth_error_In with o. }
  assert (I' : forall b w, In (b, w) (weights (real_cell c)) -> real_input h b = if k b then 1 else 0).
  { intros b w J. apply in_real_weights in J. destruct J as (w' & J & _). now destruct (I b w' J). }
  assert (P : products (map real_term (fterms h c)) = products (terms (real_input h) (real_cell c))).
  { unfold fterms, products, terms. simpl. rewrite !map_map. apply map_ext. now intros [b w]. }
  assert (Z : magnitude (bias (real_cell c) :: products (terms (real_input h) (real_cell c))) = magnitude vs).
  { unfold magnitude, vs. rewrite !total_cons. f_equal. apply (total_chosen k _ _ I' Rabs), Rabs_R0. }
  assert (O : nonzeros (bias (real_cell c) :: products (terms (real_input h) (real_cell c))) = nonzeros vs).
  { unfold nonzeros, vs. cbn [filter]. now rewrite (nonzero_chosen k _ _ I'). }
  assert (X : Forall (term A e) (bias (real_cell c) :: products (terms (real_input h) (real_cell c)))).
  { constructor; [now apply Forall_inv in T|]. apply Forall_forall. intros v J.
    destruct (product_chosen k _ _ I' v J) as [-> | K].
    - split; [apply Arithmetic.value_0|exists 0%Z; simpl; ring].
    - rewrite Forall_forall in T. apply T. now right. }
  destruct (neuron_without_overflow e m (fbias c) (fterms h c) r) as [G K]; rewrite ?P; trivial.
  - apply F.
  - intros w v J. apply in_fterms in J. destruct J as (b & J & ->).
    split; [now apply F with b|now apply I with w].
  - change (B2R (fbias c)) with (bias (real_cell c)). now rewrite O.
  - change (B2R (fbias c)) with (bias (real_cell c)). now rewrite Z.
  - split; [exact G|]. apply (neuron_error A B e within_wide Ve) with (m := m) in K.
    + rewrite P in K. change (B2R (fbias c)) with (bias (real_cell c)) in K. rewrite Z in K.
      replace (total vs)
        with (bias (real_cell c) + total (products (terms (real_input h) (real_cell c)))); [exact K|].
      now rewrite (products_chosen k _ _ I').
    + intros v r'. apply (neighbour_on_grid (SpecFloat.fexp wide_prec wide_emax)).
    + now rewrite P.
    + rewrite P. change (B2R (fbias c)) with (bias (real_cell c)). now rewrite O.
Qed.

End Network.
