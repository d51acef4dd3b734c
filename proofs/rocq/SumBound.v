(** * The error of a sum over all trees, with narrowing anywhere

    The leaves of a sum are added up in any tree, each product contracted or not. What is computed is rounded, and
    whatever else may happen to it: [becomes t r]. At finitely many nodes the value is rounded once more, to a storage
    format: [narrows x r]. However that goes, the result is within [climb] of the exact sum: of [k + 1] leaves that are
    not zero, [k] additions err by what rounding costs at the largest magnitude that a partial sum can reach. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums SumsError.

Import ListNotations.
Open Scope R_scope.

(** ** The recursion E_(k+1) = E_k + err (M + E_k) *)

Section Climb.

Variable M : R.
Variable err : R -> R.
Hypothesis M_nonnegative : 0 <= M.
Hypothesis err_nonnegative : forall t, 0 <= t -> 0 <= err t.
Hypothesis err_monotone : forall s t, 0 <= s -> s <= t -> err s <= err t.

(** [k] additions after an error of [c], each of which adds [err] of the most that it may round. *)
Fixpoint climb (k : nat) (c : R) : R :=
  match k with
  | 0%nat => c
  | S k => climb k c + err (M + climb k c)
  end.

Lemma climb_from : forall k c, 0 <= c -> c <= climb k c.
Proof.
  intros k c C. induction k as [| k IH]; simpl; [lra |].
  pose proof (err_nonnegative (M + climb k c)). lra.
Qed.

Lemma climb_shift : forall k c d, 0 <= c -> 0 <= d -> d + climb k c <= climb k (d + c).
Proof.
  intros k c d C D. induction k as [| k IH]; simpl; [lra |].
  pose proof (climb_from k c C).
  pose proof (err_monotone (M + climb k c) (M + climb k (d + c))). lra.
Qed.

Lemma climb_monotone : forall k c d, 0 <= c -> c <= d -> climb k c <= climb k d.
Proof.
  intros k c d C D. replace d with (d - c + c) by ring.
  pose proof (climb_shift k c (d - c) C ltac:(lra)). lra.
Qed.

Lemma climb_plus : forall j k c, climb (j + k) c = climb j (climb k c).
Proof. intros j k c. induction j as [| j IH]; simpl; [easy | now rewrite IH]. Qed.

Lemma climb_more : forall j k c, (j <= k)%nat -> 0 <= c -> climb j c <= climb k c.
Proof.
  intros j k c L C. replace k with ((k - j) + j)%nat by lia. rewrite climb_plus.
  apply climb_from. pose proof (climb_from j c C). lra.
Qed.

(** Two parts of a sum, one after the other. *)
Lemma climb_join : forall j k c d, 0 <= c -> 0 <= d -> climb j c + climb k d <= climb (j + k) (c + d).
Proof.
  intros j k c d C D. pose proof (climb_from j c C).
  apply Rle_trans with (climb k (climb j c + d)).
  - apply climb_shift; lra.
  - rewrite Nat.add_comm, climb_plus. apply climb_monotone; [lra |].
    rewrite (Rplus_comm c d), (Rplus_comm _ d). apply climb_shift; lra.
Qed.

End Climb.

(** A larger magnitude, and an error that is larger wherever it is asked, climb higher. *)
Lemma climb_greater : forall M N err more k c, 0 <= M -> M <= N -> 0 <= c ->
  (forall t, 0 <= t -> 0 <= err t) -> (forall s t, 0 <= s -> s <= t -> err s <= more t) ->
  climb M err k c <= climb N more k c.
Proof.
  intros M N err more k c HM HN C P G. induction k as [| k IH]; simpl; [lra |].
  pose proof (climb_from M err HM P k c C).
  pose proof (G (M + climb M err k c) (N + climb N more k c)). lra.
Qed.

(** ** Positive and negative terms *)

Definition positives (vs : list R) : R := total (map positive_part vs).
Definition negatives (vs : list R) : R := total (map (fun v => positive_part (- v)) vs).

Lemma total_parts : forall vs, total vs = positives vs - negatives vs /\ 0 <= positives vs /\ 0 <= negatives vs.
Proof.
  unfold positives, negatives. induction vs as [| v vs (E & P & N)]; [simpl; lra |].
  assert (S : v = positive_part v - positive_part (- v) /\ 0 <= positive_part v /\ 0 <= positive_part (- v)).
  { unfold positive_part, Rmax. repeat destruct Rle_dec; lra. }
  cbn [total map fold_right]. unfold total in *. lra.
Qed.

Lemma positives_app : forall us vs, positives (us ++ vs) = positives us + positives vs.
Proof. intros us vs. unfold positives. now rewrite map_app, total_app. Qed.
Lemma negatives_app : forall us vs, negatives (us ++ vs) = negatives us + negatives vs.
Proof. intros us vs. unfold negatives. now rewrite map_app, total_app. Qed.

Lemma positives_permutation : forall us vs, Permutation us vs -> positives us = positives vs.
Proof. intros us vs P. now apply total_permutation, Permutation_map. Qed.
Lemma negatives_permutation : forall us vs, Permutation us vs -> negatives us = negatives vs.
Proof. intros us vs P. now apply total_permutation, Permutation_map. Qed.

(** The larger of the two, by magnitude and total. *)
Lemma larger_part : forall vs, Rmax (positives vs) (negatives vs) = (magnitude vs + Rabs (total vs)) / 2.
Proof.
  intros vs. destruct (total_parts vs) as (E & P & N).
  assert (S : magnitude vs = positives vs + negatives vs).
  { clear. unfold magnitude, positives, negatives. induction vs as [| v vs IH]; [simpl; lra |].
    cbn [map total fold_right]. unfold total in *. rewrite IH.
    assert (Rabs v = positive_part v + positive_part (- v)).
    { unfold positive_part, Rmax, Rabs. repeat destruct Rle_dec; destruct Rcase_abs; lra. }
    lra. }
  rewrite S, E. unfold Rmax, Rabs. destruct Rle_dec, Rcase_abs; lra.
Qed.

(** ** Paths *)

Section Paths.

(** What a real that is computed is delivered as, and what a value is narrowed to. *)
Variables becomes narrows : R -> R -> Prop.

(** [runs t n r]: some path through [t], with [n] narrowings, gives [r]. What is read of a leaf may be rounded, too, as a
    number that is stored in another format, or flushed, is. *)
Inductive runs : tree -> nat -> R -> Prop :=
| runs_number v : runs (Leaf (Number v)) 0 v
| runs_read l r : becomes (exact l) r -> runs (Leaf l) 0 r
| runs_add a b i j x y r : runs a i x -> runs b j y -> becomes (x + y) r -> runs (Add a b) (i + j) r
| runs_contracted_left w x b n y r :
    runs b n y -> becomes (w * x + y) r -> runs (Add (Leaf (Product w x)) b) n r
| runs_contracted_right a n y w x r :
    runs a n y -> becomes (y + w * x) r -> runs (Add a (Leaf (Product w x))) n r
| runs_narrowed t n x r : runs t n x -> narrows x r -> runs t (S n) r.

End Paths.

(** The paths of [Trees.v] are those on which nothing is narrowed. *)
Lemma evaluates_runs : forall B narrows t r, evaluates B t r -> runs (rounds B) narrows t 0 r.
Proof.
  intros B narrows t r H. induction H as [v | w x r H | a b x y r _ IHa _ IHb H | w x b y r _ IH H | a y w x r _ IH H].
  - constructor.
  - now apply runs_read.
  - exact (runs_add _ _ a b 0 0 x y r IHa IHb H).
  - now apply runs_contracted_left with y.
  - now apply runs_contracted_right with y.
Qed.

(** More may happen to a real: there are more paths. *)
Lemma runs_more : forall (P Q N K : R -> R -> Prop) t n r, (forall s u, P s u -> Q s u) -> (forall s u, N s u -> K s u) ->
  runs P N t n r -> runs Q K t n r.
Proof.
  intros P Q N K t n r PQ NK H.
  induction H as [v | l r H | a b i j x y r _ IHa _ IHb H | w x b n y r _ IH H | a n y w x r _ IH H | t n x r _ IH H].
  - constructor.
  - apply runs_read; auto.
  - apply runs_add with x y; auto.
  - apply runs_contracted_left with y; auto.
  - apply runs_contracted_right with y; auto.
  - apply runs_narrowed with x; auto.
Qed.

(** A tree, and what it is made of. *)
Inductive part_of : tree -> tree -> Prop :=
| part_itself t : part_of t t
| part_left s a b : part_of s a -> part_of s (Add a b)
| part_right s a b : part_of s b -> part_of s (Add a b).

(** ** Sums *)

Section Sum.

Variables becomes narrows : R -> R -> Prop.
Variable M : R.
Variables err cost : R -> R.

(** What is delivered and delivered again, as a part to which a zero is added is, might have become that at once; zero
    stays zero. *)
Hypothesis becomes_again : forall t x r, becomes t x -> becomes x r -> becomes t r.
Hypothesis narrows_again : forall t x r, narrows t x -> becomes x r -> narrows t r.
Hypothesis becomes_zero : forall r, becomes 0 r -> r = 0.
Hypothesis narrows_zero : forall r, narrows 0 r -> r = 0.

(** What is added up is on a grid, or is anything: what matters is that rounding keeps it, and errs by [err]. *)
Variable grid : R -> Prop.
Hypothesis grid_plus : forall s t, grid s -> grid t -> grid (s + t).
Hypothesis grid_becomes : forall t r, grid t -> becomes t r -> grid r.
Hypothesis grid_narrows : forall t r, grid t -> narrows t r -> grid r.

Hypothesis becomes_err : forall t r, grid t -> becomes t r -> Rabs (r - t) <= err (Rabs t).
Hypothesis err_nonnegative : forall t, 0 <= t -> 0 <= err t.
Hypothesis err_monotone : forall s t, 0 <= s -> s <= t -> err s <= err t.

Hypothesis narrows_cost : forall t r, grid t -> narrows t r -> Rabs (r - t) <= cost (Rabs t).
Hypothesis cost_monotone : forall s t, 0 <= s -> s <= t -> cost s <= cost t.

(** What one narrowing costs at most. *)
Variable D : R.
Hypothesis D_nonnegative : 0 <= D.

(** A leaf is charged [c]: what reading it by itself may cost, and nothing if it stays what it is. *)
Definition charged (l : leaf) (c : R) : Prop :=
  0 <= c /\ grid (exact l) /\ forall r, becomes (exact l) r -> Rabs (r - exact l) <= c.

Notation count ls := (nonzeros (map exact ls)).
Notation sum ls := (total (map exact ls)).
Notation F := (climb M err).

(** The bound for leaves that are charged [c] in all, and [n] narrowings. *)
Notation E ls c n := (F (Nat.pred (count ls)) (c + INR n * D)).

(** No partial sum is larger than [M], before any rounding. *)
Definition fits (ls : list leaf) : Prop :=
  positives (map exact ls) <= M /\ negatives (map exact ls) <= M.

Lemma fits_app : forall us vs, fits (us ++ vs) -> fits us /\ fits vs.
Proof.
  unfold fits. intros us vs. rewrite map_app, positives_app, negatives_app.
  destruct (total_parts (map exact us)) as (_ & ? & ?). destruct (total_parts (map exact vs)) as (_ & ? & ?). lra.
Qed.

Lemma fits_sum : forall ls, fits ls -> 0 <= M /\ Rabs (sum ls) <= M.
Proof.
  intros ls [P N]. destruct (total_parts (map exact ls)) as (T & ? & ?). split; [lra |].
  rewrite T. apply Rabs_le. lra.
Qed.

Lemma none_zero : forall ls, count ls = 0%nat -> sum ls = 0.
Proof. intros ls H. now apply total_zeros, nonzeros_none. Qed.

Lemma charges_nonnegative : forall ls cs, Forall2 charged ls cs -> 0 <= total cs.
Proof. induction 1 as [| l c ls cs [C _] _ IH]; simpl; lra. Qed.

Lemma narrowings_nonnegative : forall n, 0 <= INR n * D.
Proof. intros n. apply Rmult_le_pos; [apply pos_INR | exact D_nonnegative]. Qed.

(** What is known of the value [x] of a part, and of what becomes of it. *)
Definition near (ls : list leaf) (c : R) (n : nat) (x : R) : Prop :=
  grid x /\ (count ls = 0%nat -> x = 0) /\ forall y, y = x \/ becomes x y -> Rabs (y - sum ls) <= E ls c n.

Lemma near_again : forall ls c n x y, near ls c n x -> becomes x y -> near ls c n y.
Proof.
  intros ls c n x y (G & Z & H) B. split; [now apply (grid_becomes x) | split].
  - intros K. specialize (Z K). subst x. now apply becomes_zero.
  - intros z [-> | C]; apply H; right; [exact B | now apply becomes_again with y].
Qed.

(** A leaf as it is, read for itself or contracted. *)
Lemma leaf_near : forall l c, fits [l] -> charged l c -> near [l] c 0 (exact l).
Proof.
  intros l c Fi (C & G & H). destruct (fits_sum _ Fi) as [HM _].
  assert (S : sum [l] = exact l) by (simpl; ring). split; [exact G | split].
  - intros Z. now rewrite <- S, none_zero.
  - intros y Y. rewrite S. simpl INR. rewrite Rmult_0_l, Rplus_0_r.
    apply Rle_trans with c; [| apply climb_from; auto]. destruct Y as [-> | Y]; [| now apply H].
    rewrite Rminus_diag_eq, Rabs_R0 by reflexivity. exact C.
Qed.

Lemma E_app_left : forall us vs c d i j, 0 <= M -> 0 <= c -> 0 <= d -> E us c i <= E (us ++ vs) (c + d) (i + j).
Proof.
  intros us vs c d i j HM C H. pose proof (narrowings_nonnegative i). pose proof (narrowings_nonnegative j).
  rewrite map_app, nonzeros_app, plus_INR, Rmult_plus_distr_r.
  apply Rle_trans with (F (Nat.pred (count us)) (c + d + (INR i * D + INR j * D))).
  - apply climb_monotone; auto; lra.
  - apply climb_more; auto; [lia | lra].
Qed.

Lemma E_app_right : forall us vs c d i j, 0 <= M -> 0 <= c -> 0 <= d -> E vs d j <= E (us ++ vs) (c + d) (i + j).
Proof.
  intros us vs c d i j HM C H. pose proof (narrowings_nonnegative i). pose proof (narrowings_nonnegative j).
  rewrite map_app, nonzeros_app, plus_INR, Rmult_plus_distr_r.
  apply Rle_trans with (F (Nat.pred (count vs)) (c + d + (INR i * D + INR j * D))).
  - apply climb_monotone; auto; lra.
  - apply climb_more; auto; [lia | lra].
Qed.

Lemma add_near : forall us vs c d i j x y r, fits (us ++ vs) -> 0 <= c -> 0 <= d ->
  near us c i x -> near vs d j y -> becomes (x + y) r -> near (us ++ vs) (c + d) (i + j) r.
Proof.
  intros us vs c d i j x y r Fi C Hd Nx Ny H. assert (Hall := fits_sum _ Fi). destruct Hall as [HM Hall].
  pose proof (narrowings_nonnegative i) as Ni. pose proof (narrowings_nonnegative j) as Nj.
  assert (L := E_app_left us vs c d i j HM C Hd). assert (Rr := E_app_right us vs c d i j HM C Hd).
  assert (Gr : grid r) by (apply (grid_becomes (x + y)); [apply grid_plus; [apply Nx | apply Ny] | exact H]).
  destruct (count us) as [| n] eqn:Hn.
  { (* a part of zeros adds nothing *)
    assert (x = 0) as -> by (now apply Nx). rewrite Rplus_0_l in H.
    destruct (near_again _ _ _ _ _ Ny H) as (_ & Z & N). split; [exact Gr | split].
    - rewrite map_app, nonzeros_app, Hn. exact Z.
    - intros z Hz. apply Rle_trans with (2 := Rr).
      rewrite map_app, total_app, (none_zero us Hn), Rplus_0_l. now apply N. }
  destruct (count vs) as [| m] eqn:Hm.
  { assert (y = 0) as -> by (now apply Ny). rewrite Rplus_0_r in H.
    destruct (near_again _ _ _ _ _ Nx H) as (_ & _ & N). split; [exact Gr | split].
    - rewrite map_app, nonzeros_app, Hn. discriminate.
    - intros z Hz. rewrite Hn in N. apply Rle_trans with (2 := L).
      rewrite map_app, total_app, (none_zero vs Hm), Rplus_0_r. now apply N. }
  clear L Rr. destruct Nx as (Gx & _ & Lx). destruct Ny as (Gy & _ & Ly).
  specialize (Lx x (or_introl eq_refl)). specialize (Ly y (or_introl eq_refl)). rewrite Hn in Lx. rewrite Hm in Ly.
  split; [exact Gr |]. rewrite map_app, total_app in *. rewrite nonzeros_app, Hn, Hm, plus_INR.
  replace (Nat.pred (S n + S m)) with (S (n + m)) by lia. split; [discriminate |]. simpl Nat.pred in *.
  pose proof (climb_join M err HM err_nonnegative err_monotone n m (c + INR i * D) (d + INR j * D)
    ltac:(lra) ltac:(lra)) as J.
  replace (c + INR i * D + (d + INR j * D)) with (c + d + (INR i + INR j) * D) in J by ring.
  set (B := F (n + m) (c + d + (INR i + INR j) * D)) in *.
  change (F (S (n + m)) (c + d + (INR i + INR j) * D)) with (B + err (M + B)).
  assert (T : Rabs (x + y - (sum us + sum vs)) <= B).
  { replace (x + y - (sum us + sum vs)) with (x - sum us + (y - sum vs)) by ring.
    apply Rle_trans with (1 := Rabs_triang _ _). lra. }
  assert (Top : Rabs (x + y) <= M + B).
  { replace (x + y) with (sum us + sum vs + (x + y - (sum us + sum vs))) by ring.
    apply Rle_trans with (1 := Rabs_triang _ _). lra. }
  assert (G : grid (x + y)) by (apply grid_plus; [apply Gx | apply Gy]).
  intros z Hz. assert (Z : becomes (x + y) z) by (destruct Hz as [-> | Hz]; [exact H | now apply becomes_again with r]).
  assert (K : Rabs (z - (x + y)) <= err (M + B)).
  { apply Rle_trans with (err (Rabs (x + y))); [now apply becomes_err |].
    apply err_monotone; [apply Rabs_pos | exact Top]. }
  replace (z - (sum us + sum vs)) with (x + y - (sum us + sum vs) + (z - (x + y))) by ring.
  apply Rle_trans with (1 := Rabs_triang _ _). lra.
Qed.

(** [D] is enough for each of [n] narrowings. *)
Definition room (ls : list leaf) (c : R) (n : nat) : Prop := n = 0%nat \/ cost (M + E ls c n) <= D.

Lemma narrowed_near : forall ls c n x r, fits ls -> 0 <= c -> room ls c (S n) ->
  near ls c n x -> narrows x r -> near ls c (S n) r.
Proof.
  intros ls c n x r Fi C Ro (G & Z & H) Hr. destruct (fits_sum _ Fi) as [HM Hall].
  pose proof (narrowings_nonnegative n) as Nn. split; [now apply (grid_narrows x) | split].
  { intros K. specialize (Z K). subst x. now apply narrows_zero. }
  intros z Hz. assert (N : narrows x z) by (destruct Hz as [-> | Hz]; [exact Hr | now apply narrows_again with r]).
  specialize (H x (or_introl eq_refl)). destruct Ro as [Ro | Ro]; [discriminate |].
  set (k := Nat.pred (count ls)) in *. rewrite S_INR in *.
  assert (Up : D + F k (c + INR n * D) <= F k (c + (INR n + 1) * D)).
  { replace (c + (INR n + 1) * D) with (D + (c + INR n * D)) by ring. apply climb_shift; auto; lra. }
  assert (K : Rabs (z - x) <= D).
  { apply Rle_trans with (2 := Ro). apply Rle_trans with (cost (Rabs x)); [now apply narrows_cost |].
    apply cost_monotone; [apply Rabs_pos |]. replace x with (sum ls + (x - sum ls)) by ring.
    apply Rle_trans with (1 := Rabs_triang _ _). lra. }
  replace (z - sum ls) with (x - sum ls + (z - x)) by ring. apply Rle_trans with (1 := Rabs_triang _ _). lra.
Qed.

Lemma room_less : forall us c i vs d j, 0 <= M -> E us c i <= E vs d j -> 0 <= c ->
  ((i <= j)%nat) -> room vs d j -> room us c i.
Proof.
  intros us c i vs d j HM L C Hij [-> | R]; [left; lia | right].
  apply Rle_trans with (2 := R). apply cost_monotone; [| lra].
  pose proof (climb_from M err HM err_nonnegative (Nat.pred (count us)) (c + INR i * D)).
  pose proof (narrowings_nonnegative i). lra.
Qed.

Theorem runs_near : forall t n r cs, runs becomes narrows t n r -> Forall2 charged (leaves t) cs -> fits (leaves t) ->
  room (leaves t) (total cs) n -> near (leaves t) (total cs) n r.
Proof.
  intros t n r cs H. revert cs.
  induction H as [v | l r H | a b i j x y r _ IHa _ IHb H | w x b n y r _ IH H | a n y w x r _ IH H | t n x r _ IH H];
    intros cs Ch Fi Ro; cbn [leaves] in *.
  - inversion_clear Ch as [| ? c ? ? Cl Nil]. inversion_clear Nil. simpl total. rewrite Rplus_0_r.
    exact (leaf_near (Number v) c Fi Cl).
  - inversion_clear Ch as [| ? c ? ? Cl Nil]. inversion_clear Nil. simpl total. rewrite Rplus_0_r.
    apply near_again with (exact l); [now apply leaf_near | exact H].
  - apply Forall2_app_inv_l in Ch. destruct Ch as (ca & cb & Ca & Cb & ->).
    assert (Pa := charges_nonnegative _ _ Ca). assert (Pb := charges_nonnegative _ _ Cb).
    assert (K := fits_app _ _ Fi). destruct K as [Fa Fb]. destruct (fits_sum _ Fi) as [HM _]. rewrite total_app in *.
    apply add_near with x y; auto.
    + apply IHa; auto. apply room_less with (5 := Ro); auto; [now apply E_app_left | lia].
    + apply IHb; auto. apply room_less with (5 := Ro); auto; [now apply E_app_right | lia].
  - apply (Forall2_app_inv_l [Product w x]) in Ch. destruct Ch as (ca & cb & Ca & Cb & ->).
    assert (Pa := charges_nonnegative _ _ Ca). assert (Pb := charges_nonnegative _ _ Cb).
    assert (K := fits_app [Product w x] _ Fi). destruct K as [Fa Fb]. destruct (fits_sum _ Fi) as [HM _].
    rewrite total_app in *.
    apply (add_near [Product w x] (leaves b) (total ca) (total cb) 0 n (w * x) y); auto.
    + inversion_clear Ca as [| ? c ? ? Cl Nil]. inversion_clear Nil. simpl total. rewrite Rplus_0_r.
      exact (leaf_near (Product w x) c Fa Cl).
    + apply IH; auto. apply room_less with (5 := Ro); auto.
      exact (E_app_right [Product w x] (leaves b) (total ca) (total cb) 0 n HM Pa Pb).
  - apply Forall2_app_inv_l in Ch. destruct Ch as (ca & cb & Ca & Cb & ->).
    assert (Pa := charges_nonnegative _ _ Ca). assert (Pb := charges_nonnegative _ _ Cb).
    assert (K := fits_app _ _ Fi). destruct K as [Fa Fb]. destruct (fits_sum _ Fi) as [HM _]. rewrite total_app in *.
    replace n with (n + 0)%nat in * by lia.
    apply (add_near (leaves a) [Product w x] (total ca) (total cb) n 0 y (w * x)); auto.
    + replace (n + 0)%nat with n in IH by lia. apply IH; auto.
      apply room_less with (5 := Ro); auto; [| lia].
      exact (E_app_left (leaves a) [Product w x] (total ca) (total cb) n 0 HM Pa Pb).
    + inversion_clear Cb as [| ? c ? ? Cl Nil]. inversion_clear Nil. simpl total. rewrite Rplus_0_r.
      exact (leaf_near (Product w x) c Fb Cl).
  - assert (C := charges_nonnegative _ _ Ch). destruct (fits_sum _ Fi) as [HM _].
    apply narrowed_near with x; auto. apply IH; auto. apply room_less with (5 := Ro); auto.
    pose proof (narrowings_nonnegative n). apply climb_monotone; auto; rewrite ?S_INR; lra.
Qed.

(** No partial result leaves [M + E], on any path. *)
Theorem parts_near : forall s t n r cs, part_of s t -> runs becomes narrows s n r -> Forall2 charged (leaves t) cs ->
  fits (leaves t) -> room (leaves t) (total cs) n -> Rabs r <= M + E (leaves t) (total cs) n.
Proof.
  intros s t n r cs P. revert n r cs.
  induction P as [t | s a b _ IH | s a b _ IH]; intros n r cs H Ch Fi Ro; destruct (fits_sum _ Fi) as [HM Hall].
  - destruct (runs_near t n r cs H Ch Fi Ro) as (_ & _ & N). specialize (N r (or_introl eq_refl)).
    replace r with (sum (leaves t) + (r - sum (leaves t))) by ring. apply Rle_trans with (1 := Rabs_triang _ _). lra.
  - cbn [leaves] in *. apply Forall2_app_inv_l in Ch. destruct Ch as (ca & cb & Ca & Cb & ->).
    assert (Pa := charges_nonnegative _ _ Ca). assert (Pb := charges_nonnegative _ _ Cb). rewrite total_app in *.
    assert (L := E_app_left (leaves a) (leaves b) (total ca) (total cb) n 0 HM Pa Pb). rewrite Nat.add_0_r in L.
    apply Rle_trans with (M + E (leaves a) (total ca) n); [| lra].
    apply IH; auto; [now apply fits_app in Fi |]. now apply room_less with (5 := Ro).
  - cbn [leaves] in *. apply Forall2_app_inv_l in Ch. destruct Ch as (ca & cb & Ca & Cb & ->).
    assert (Pa := charges_nonnegative _ _ Ca). assert (Pb := charges_nonnegative _ _ Cb). rewrite total_app in *.
    assert (L := E_app_right (leaves a) (leaves b) (total ca) (total cb) 0 n HM Pa Pb). rewrite Nat.add_0_l in L.
    apply Rle_trans with (M + E (leaves b) (total cb) n); [| lra].
    apply IH; auto; [now apply fits_app in Fi |]. now apply room_less with (5 := Ro).
Qed.

(** ** Leaves in intervals

    What a leaf may be, on any path, and what it is charged. *)
Record span := { low : R; high : R; charge : R }.

Definition spans (l : leaf) (s : span) : Prop := low s <= exact l <= high s /\ charged l (charge s).

Definition span_count (ss : list span) : nat :=
  length (filter (fun s => orb (is_nonzero (low s)) (is_nonzero (high s))) ss).
Definition span_positives (ss : list span) : R := total (map (fun s => positive_part (high s)) ss).
Definition span_negatives (ss : list span) : R := total (map (fun s => positive_part (- low s)) ss).
Definition span_magnitude (ss : list span) : R := total (map (fun s => Rmax (Rabs (low s)) (Rabs (high s))) ss).
Definition span_charge (ss : list span) : R := total (map charge ss).

(** The most that a partial sum can be, if the whole is at most [T] in magnitude. *)
Definition span_most (ss : list span) (T : R) : R :=
  Rmin (Rmax (span_positives ss) (span_negatives ss)) ((span_magnitude ss + T) / 2).

Lemma spans_count : forall ls ss, Forall2 spans ls ss -> (count ls <= span_count ss)%nat.
Proof.
  unfold nonzeros, span_count. induction 1 as [| l s ls ss [[L H] _] _ IH]; simpl; [lia |].
  unfold is_nonzero in *. destruct (Req_EM_T (exact l) 0), (Req_EM_T (low s) 0), (Req_EM_T (high s) 0); simpl; try lia.
  exfalso. lra.
Qed.

Lemma spans_fit : forall ls ss T, Forall2 spans ls ss -> Rabs (sum ls) <= T -> span_most ss T <= M -> fits ls.
Proof.
  intros ls ss T S HT HM.
  assert (B : positives (map exact ls) <= span_positives ss /\ negatives (map exact ls) <= span_negatives ss /\
    magnitude (map exact ls) <= span_magnitude ss).
  { clear HT HM. unfold positives, negatives, magnitude, span_positives, span_negatives, span_magnitude.
    induction S as [| l s ls ss [[L H] _] _ (IP & IN & IM)]; [simpl; lra |].
    cbn [map total fold_right]. unfold total in *.
    assert (positive_part (exact l) <= positive_part (high s))
      by (unfold positive_part, Rmax; repeat destruct Rle_dec; lra).
    assert (positive_part (- exact l) <= positive_part (- low s))
      by (unfold positive_part, Rmax; repeat destruct Rle_dec; lra).
    assert (Rabs (exact l) <= Rmax (Rabs (low s)) (Rabs (high s))).
    { unfold Rmax, Rabs. destruct (Rcase_abs (exact l)), (Rcase_abs (low s)), (Rcase_abs (high s)), Rle_dec; lra. }
    lra. }
  pose proof (larger_part (map exact ls)) as La. unfold fits.
  assert (K : Rmax (positives (map exact ls)) (negatives (map exact ls)) <= M).
  { apply Rle_trans with (2 := HM). unfold span_most, Rmin. destruct Rle_dec.
    - unfold Rmax. repeat destruct Rle_dec; lra.
    - rewrite La. lra. }
  revert K. unfold Rmax. destruct Rle_dec; lra.
Qed.

Lemma spans_charged : forall ls ss, Forall2 spans ls ss -> Forall2 charged ls (map charge ss).
Proof. induction 1 as [| l s ls ss [_ C] _ IH]; simpl; constructor; auto. Qed.

(** The bound of a sum whose leaves are in these spans, with at most [n] narrowings. *)
Definition bound (ss : list span) (n : nat) : R := F (Nat.pred (span_count ss)) (span_charge ss + INR n * D).

Lemma spans_near : forall ls ss T t n k cs, Permutation (leaves t) ls -> Forall2 spans ls ss -> Rabs (sum ls) <= T ->
  span_most ss T <= M -> (k <= n)%nat -> n = 0%nat \/ cost (M + bound ss n) <= D ->
  Forall2 charged (leaves t) cs -> total cs = span_charge ss ->
  fits (leaves t) /\ room (leaves t) (total cs) k /\ E (leaves t) (total cs) k <= bound ss n /\ sum (leaves t) = sum ls.
Proof.
  intros ls ss T t n k cs P S HT HM Hk HD Ch Q.
  assert (X : Permutation (map exact (leaves t)) (map exact ls)) by now apply Permutation_map.
  assert (Fl := spans_fit ls ss T S HT HM). assert (Fi : fits (leaves t)).
  { unfold fits. now rewrite (positives_permutation _ _ X), (negatives_permutation _ _ X). }
  destruct (fits_sum _ Fi) as [M0 _]. assert (C := charges_nonnegative _ _ Ch).
  assert (L : E (leaves t) (total cs) k <= bound ss n).
  { unfold bound. rewrite <- Q, (nonzeros_permutation _ _ X). pose proof (narrowings_nonnegative k).
    assert (INR k * D <= INR n * D) by (apply Rmult_le_compat_r; [exact D_nonnegative | now apply le_INR]).
    apply Rle_trans with (F (Nat.pred (count ls)) (total cs + INR n * D)).
    - apply climb_monotone; auto; lra.
    - apply climb_more; auto; [| lra]. pose proof (spans_count ls ss S). lia. }
  repeat split; auto; try apply Fi; [| now apply total_permutation].
  destruct HD as [HD | HD]; [left; lia | right]. apply Rle_trans with (2 := HD). apply cost_monotone; [| lra].
  pose proof (narrowings_nonnegative k).
  pose proof (climb_from M err M0 err_nonnegative (Nat.pred (count (leaves t))) (total cs + INR k * D)). lra.
Qed.

Lemma spans_charges : forall ls ss t, Permutation (leaves t) ls -> Forall2 spans ls ss ->
  exists cs, Forall2 charged (leaves t) cs /\ total cs = span_charge ss.
Proof.
  intros ls ss t P S. apply Permutation_sym in P.
  destruct (Permutation_Forall2 P (spans_charged ls ss S)) as (cs & Q & Ch). exists cs. split; [exact Ch |].
  now apply total_permutation, Permutation_sym.
Qed.

(** Theorem A: leaves in their spans, added up in any tree on any path with at most [n] narrowings, give their exact sum
    within the bound. *)
Theorem sum_bound : forall ls ss T t n k r, Permutation (leaves t) ls -> Forall2 spans ls ss -> Rabs (sum ls) <= T ->
  span_most ss T <= M -> (k <= n)%nat -> n = 0%nat \/ cost (M + bound ss n) <= D ->
  runs becomes narrows t k r -> Rabs (r - sum ls) <= bound ss n.
Proof.
  intros ls ss T t n k r P S HT HM Hk HD H. destruct (spans_charges ls ss t P S) as (cs & Ch & Q).
  destruct (spans_near ls ss T t n k cs P S HT HM Hk HD Ch Q) as (Fi & Ro & L & <-).
  destruct (runs_near t k r cs H Ch Fi Ro) as (_ & _ & N). specialize (N r (or_introl eq_refl)). lra.
Qed.

(** And no partial result on the way leaves [M] and the bound: a format whose largest value is at least that is as good as
    one without. *)
Theorem parts_bound : forall ls ss T t s n k r, Permutation (leaves t) ls -> Forall2 spans ls ss -> Rabs (sum ls) <= T ->
  span_most ss T <= M -> (k <= n)%nat -> n = 0%nat \/ cost (M + bound ss n) <= D ->
  part_of s t -> runs becomes narrows s k r -> Rabs r <= M + bound ss n.
Proof.
  intros ls ss T t s n k r P S HT HM Hk HD Hs H. destruct (spans_charges ls ss t P S) as (cs & Ch & Q).
  destruct (spans_near ls ss T t n k cs P S HT HM Hk HD Ch Q) as (Fi & Ro & L & _).
  pose proof (parts_near s t k r cs Hs H Ch Fi Ro). lra.
Qed.

End Sum.
