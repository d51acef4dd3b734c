(** * Sums in every order

    What holds of a sum on every path: whichever tree its terms are put into, whichever products are
    contracted, whatever each rounding gives. Two facts carry all others.

    - [evaluates_exact]: where all parts of the leaves sum to values, the path gives the exact sum (R5, R7).
    - [evaluates_bounded]: of leaves that are at most 0, but for one that may be 1, those that are at most
      [- pow2 (- j)] count, up to [2 ^ j] of them (R1, R6).

    Both are about leaves as a multiset, so that the tree does not matter. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees.

Import ListNotations.
Open Scope R_scope.

(** ** Leaves and totals *)

(** What a leaf is before any rounding. *)
Definition exact (l : leaf) : R := match l with Number v => v | Product w x => w * x end.

Definition positive_part (v : R) : R := Rmax v 0.

Definition total (vs : list R) : R := fold_right Rplus 0 vs.

(** The leaves of a tree before any rounding. *)
Definition exacts (t : tree) : list R := map exact (leaves t).

(** The terms of a sum before any rounding. *)
Definition products (ts : list (R * R)) : list R := map (fun t => fst t * snd t) ts.

Lemma total_app : forall us vs, total (us ++ vs) = total us + total vs.
Proof.
  induction us as [|u us IH]; intros vs; simpl.
  - lra.
  - rewrite IH. lra.
Qed.

Lemma total_permutation : forall us vs, Permutation us vs -> total us = total vs.
Proof. induction 1; simpl in *; lra. Qed.

Lemma total_nonnegative : forall vs, Forall (fun v => 0 <= v) vs -> 0 <= total vs.
Proof. induction 1; simpl; lra. Qed.

Lemma total_zeros : forall vs, Forall (fun v => v = 0) vs -> total vs = 0.
Proof. induction 1; simpl; lra. Qed.

Lemma exacts_permutation : forall t b ts,
  Permutation (leaves t) (leaves_of b ts) -> Permutation (exacts t) (b :: products ts).
Proof.
  intros t b ts H. apply (Permutation_map exact) in H.
  unfold leaves_of in H. simpl in H. rewrite map_map in H.
  unfold products. erewrite map_ext; [exact H|]. now intros [w x].
Qed.

Lemma forall_products : forall (P : R -> Prop) ts,
  (forall w x, In (w, x) ts -> P (w * x)) -> Forall P (products ts).
Proof.
  intros P ts H. apply Forall_forall. intros v Hv.
  apply in_map_iff in Hv. destruct Hv as [[w x] [<- Hin]]. now apply H.
Qed.

(** ** What a path gives *)

(** Induction over paths that does not tell contracted products from other operands: a leaf may be what it is
    exactly, and a product may be rounded. *)
Lemma evaluates_leaves : forall A (P : list R -> R -> Prop),
  (forall v, P [v] v) ->
  (forall v r, rounds A v r -> P [v] r) ->
  (forall us vs x y r, P us x -> P vs y -> rounds A (x + y) r -> P (us ++ vs) r) ->
  forall t r, evaluates A t r -> P (exacts t) r.
Proof.
  intros A P Hexact Hproduct Hadd t r H. unfold exacts.
  induction H as [v|w x r Hr|a b x y r _ IHa _ IHb Hr|w x b y r _ IH Hr|a y w x r _ IH Hr]; simpl.
  - apply Hexact.
  - now apply Hproduct.
  - rewrite map_app. exact (Hadd _ _ _ _ _ IHa IHb Hr).
  - exact (Hadd [w * x] _ _ _ _ (Hexact _) IH Hr).
  - rewrite map_app. exact (Hadd _ [w * x] _ _ _ IH (Hexact _) Hr).
Qed.

(** What a path gives is a value, if the numbers among the leaves are. *)
Lemma evaluates_value : forall A t r,
  (forall v, In (Number v) (leaves t) -> value A v) -> evaluates A t r -> value A r.
Proof.
  intros A t r Hv H. destruct H; try (eapply rounds_value; eassumption).
  apply Hv. now left.
Qed.

(** Every tree has a path. *)
Lemma evaluates_total : forall A t, exists r, evaluates A t r.
Proof.
  intros A t. induction t as [[v|w x]|a [x Hx] b [y Hy]].
  - exists v. constructor.
  - destruct (rounds_total A (w * x)) as [r Hr]. exists r. now constructor.
  - destruct (rounds_total A (x + y)) as [r Hr]. exists r. now apply evaluates_add with x y.
Qed.

Lemma leaves_in_order : forall ls t,
  leaves (fold_left (fun t l => Add t (Leaf l)) ls t) = leaves t ++ ls.
Proof.
  induction ls as [|l ls IH]; intros t; simpl.
  - now rewrite app_nil_r.
  - rewrite IH. simpl. now rewrite <- app_assoc.
Qed.

(** Every sum has a path: from left to right, for one. *)
Lemma sums_total : forall A b ts, exists r, sums A b ts r.
Proof.
  intros A b ts.
  set (t := fold_left (fun t l => Add t (Leaf l)) (map (fun '(w, x) => Product w x) ts) (Leaf (Number b))).
  destruct (evaluates_total A t) as [r Hr]. exists r, t. split; [|exact Hr].
  unfold t. now rewrite leaves_in_order.
Qed.

Lemma neuron_total : forall A B b ts, exists r, neuron A B b ts r.
Proof.
  intros A B b ts. destruct (sums_total B b ts) as [s Hs].
  destruct (rounds_total A s) as [r Hr]. now exists r, s.
Qed.

(** ** Exact sums: R5 and R7 *)

(** All parts of [vs] sum to values. *)
Definition parts_are_values (A : arithmetic) (vs : list R) : Prop :=
  forall part rest, Permutation (part ++ rest) vs -> value A (total part).

Lemma parts_left : forall A us vs, parts_are_values A (us ++ vs) -> parts_are_values A us.
Proof.
  intros A us vs H part rest Hp. apply (H part (rest ++ vs)).
  rewrite app_assoc. now apply Permutation_app_tail.
Qed.

Lemma parts_permutation : forall A us vs, Permutation us vs -> parts_are_values A us -> parts_are_values A vs.
Proof.
  intros A us vs Hp H part rest Hq. apply (H part rest).
  transitivity vs; [exact Hq|now symmetry].
Qed.

Lemma parts_right : forall A us vs, parts_are_values A (us ++ vs) -> parts_are_values A vs.
Proof.
  intros A us vs H. apply (parts_left A vs us).
  now apply parts_permutation with (us ++ vs); [apply Permutation_app_comm|].
Qed.

Lemma parts_whole : forall A vs, parts_are_values A vs -> value A (total vs).
Proof. intros A vs H. apply (H vs []). now rewrite app_nil_r. Qed.

Lemma parts_within : forall A B vs, within A B -> parts_are_values A vs -> parts_are_values B vs.
Proof. intros A B vs Hw H part rest Hp. apply Hw. now apply (H part rest). Qed.

(** Where all parts of the leaves sum to values, nothing is ever rounded. *)
Lemma evaluates_exact : forall A t r,
  parts_are_values A (exacts t) -> evaluates A t r -> r = total (exacts t).
Proof.
  intros A t r Hparts H. revert Hparts.
  apply (evaluates_leaves A (fun vs r => parts_are_values A vs -> r = total vs)); [..|exact H].
  - intros v _. simpl. lra.
  - intros v r' Hr Hv. apply parts_whole in Hv. apply (rounds_value_exact A).
    + exact Hv.
    + simpl. now rewrite Rplus_0_r.
  - intros us vs x y r' Hx Hy Hr Hv. apply (rounds_value_exact A).
    + now apply parts_whole.
    + rewrite total_app, <- Hx, <- Hy; [exact Hr|..].
      * now apply parts_right with us.
      * now apply parts_left with vs.
Qed.

Lemma sums_parts : forall A b ts r,
  parts_are_values A (b :: products ts) -> sums A b ts r -> r = b + total (products ts).
Proof.
  intros A b ts r Hparts (t & Hp & H). apply exacts_permutation in Hp.
  change (b + total (products ts)) with (total (b :: products ts)).
  rewrite <- (total_permutation _ _ Hp). apply (evaluates_exact A); [|exact H].
  apply parts_permutation with (b :: products ts); [now symmetry|exact Hparts].
Qed.

(** If the sum is exact in the format it is exact in an accumulator, and the last rounding changes nothing. *)
Lemma neuron_parts : forall A B b ts r, within A B ->
  parts_are_values A (b :: products ts) -> neuron A B b ts r -> r = b + total (products ts).
Proof.
  intros A B b ts r Hw Hparts (s & Hs & Hr).
  apply sums_parts in Hs; [|now apply parts_within with A]. subst s.
  apply (rounds_value_exact A); [|exact Hr]. exact (parts_whole A _ Hparts).
Qed.

(** *** At most one term that is not zero *)

Lemma parts_one : forall A y before after, value A y ->
  Forall (fun v => v = 0) (before ++ after) -> parts_are_values A (before ++ y :: after).
Proof.
  intros A y before after Hy Hzero part rest Hp.
  assert (Hin : In y (part ++ rest)).
  { apply (Permutation_in (l := before ++ y :: after)); [now symmetry|apply in_elt]. }
  apply in_app_or in Hin. destruct Hin as [Hin|Hin]; apply in_split in Hin; destruct Hin as (l & l' & ->).
  - rewrite <- app_assoc in Hp. simpl in Hp. apply Permutation_app_inv in Hp.
    rewrite app_assoc in Hp. symmetry in Hp. apply (Permutation_Forall Hp) in Hzero.
    apply Forall_app in Hzero. destruct Hzero as [Hzero _].
    rewrite <- (total_permutation _ _ (Permutation_middle l l' y)). simpl.
    now rewrite (total_zeros _ Hzero), Rplus_0_r.
  - rewrite app_assoc in Hp. apply Permutation_app_inv in Hp.
    rewrite <- app_assoc in Hp. symmetry in Hp. apply (Permutation_Forall Hp) in Hzero.
    apply Forall_app in Hzero. destruct Hzero as [Hzero _].
    rewrite (total_zeros _ Hzero). apply value_0.
Qed.

(** Terms of which one may be other than zero. *)
Definition selects (ts : list (R * R)) (y : R) : Prop :=
  exists before w x after, ts = before ++ (w, x) :: after /\ w * x = y /\
    (forall w' x', In (w', x') (before ++ after) -> w' * x' = 0).

Lemma selects_products : forall ts y, selects ts y ->
  exists before after, products ts = before ++ y :: after /\ Forall (fun v => v = 0) (before ++ after).
Proof.
  intros ts y (before & w & x & after & -> & Hy & Hzero).
  exists (products before), (products after). unfold products. split.
  - rewrite map_app. simpl. now rewrite Hy.
  - rewrite <- map_app. now apply (forall_products (fun v => v = 0)).
Qed.

Lemma selects_parts : forall A ts y, value A y -> selects ts y ->
  parts_are_values A (0 :: products ts) /\ 0 + total (products ts) = y.
Proof.
  intros A ts y Hy H. apply selects_products in H. destruct H as (before & after & -> & Hzero). split.
  - apply (parts_one A y (0 :: before) after Hy). now constructor.
  - rewrite <- (total_permutation _ _ (Permutation_middle before after y)). simpl.
    rewrite (total_zeros _ Hzero). lra.
Qed.

Lemma bias_parts : forall A b ts, value A b -> (forall w x, In (w, x) ts -> w * x = 0) ->
  parts_are_values A (b :: products ts) /\ b + total (products ts) = b.
Proof.
  intros A b ts Hb H. apply (forall_products (fun v => v = 0)) in H. split.
  - now apply (parts_one A b [] (products ts) Hb).
  - rewrite (total_zeros _ H). lra.
Qed.

(** R7: the one term that is not zero, if it is a value. *)
Lemma sums_selection : forall A ts r y, value A y ->
  (exists before w x after, ts = before ++ (w, x) :: after /\ w * x = y /\
    (forall w' x', In (w', x') (before ++ after) -> w' * x' = 0)) ->
  sums A 0 ts r -> r = y.
Proof.
  intros A ts r y Hy Hs H. destruct (selects_parts A ts y Hy Hs) as [Hparts <-].
  now apply (sums_parts A).
Qed.

Lemma neuron_selection : forall A B ts r y, within A B -> value A y ->
  (exists before w x after, ts = before ++ (w, x) :: after /\ w * x = y /\
    (forall w' x', In (w', x') (before ++ after) -> w' * x' = 0)) ->
  neuron A B 0 ts r -> r = y.
Proof.
  intros A B ts r y Hw Hy Hs H. destruct (selects_parts A ts y Hy Hs) as [Hparts <-].
  now apply (neuron_parts A B).
Qed.

(** A bias and zeros: the bias. *)
Lemma sums_bias : forall A b ts r, value A b ->
  (forall w x, In (w, x) ts -> w * x = 0) -> sums A b ts r -> r = b.
Proof.
  intros A b ts r Hb Hzero H. destruct (bias_parts A b ts Hb Hzero) as [Hparts Heq].
  rewrite <- Heq. now apply (sums_parts A).
Qed.

Lemma neuron_bias : forall A B b ts r, within A B -> value A b ->
  (forall w x, In (w, x) ts -> w * x = 0) -> neuron A B b ts r -> r = b.
Proof.
  intros A B b ts r Hw Hb Hzero H. destruct (bias_parts A b ts Hb Hzero) as [Hparts Heq].
  rewrite <- Heq. now apply (neuron_parts A B).
Qed.

(** Zeros add up to zero. *)
Lemma sums_zero : forall A ts r, (forall w x, In (w, x) ts -> w * x = 0) -> sums A 0 ts r -> r = 0.
Proof. intros A ts r. apply sums_bias, value_0. Qed.

Lemma neuron_zero : forall A B ts r, within A B ->
  (forall w x, In (w, x) ts -> w * x = 0) -> neuron A B 0 ts r -> r = 0.
Proof. intros A B ts r Hw. apply neuron_bias; [exact Hw|apply value_0]. Qed.

(** R6, the indicator of a box inside of it: 1 and zeros. *)
Lemma sums_one : forall A ts r, (forall w x, In (w, x) ts -> w * x = 0) -> sums A 1 ts r -> r = 1.
Proof. intros A ts r. apply sums_bias, value_1. Qed.

Lemma neuron_one : forall A B ts r, within A B ->
  (forall w x, In (w, x) ts -> w * x = 0) -> neuron A B 1 ts r -> r = 1.
Proof. intros A B ts r Hw. apply neuron_bias; [exact Hw|apply value_1]. Qed.

(** *** Terms on a grid *)

(** [v] is a multiple of [pow2 e]. *)
Definition on_grid (e : Z) (v : R) : Prop := exists m, v = IZR m * pow2 e.

Lemma total_on_grid : forall e vs, Forall (on_grid e) vs -> on_grid e (total vs).
Proof.
  induction 1 as [|v vs [m Hm] _ [n Hn]]; simpl.
  - exists 0%Z. lra.
  - exists (m + n)%Z. rewrite Hm, Hn, plus_IZR. lra.
Qed.

Lemma positive_part_bound : forall v, v <= positive_part v /\ 0 <= positive_part v.
Proof. intros v. split; [apply Rmax_l|apply Rmax_r]. Qed.

Lemma total_le_positive_parts : forall vs, total vs <= total (map positive_part vs).
Proof.
  induction vs as [|v vs IH]; simpl.
  - lra.
  - pose proof (positive_part_bound v). lra.
Qed.

Lemma total_opp : forall vs, total (map Ropp vs) = - total vs.
Proof. induction vs as [|v vs IH]; simpl; lra. Qed.

(** A part of some terms sums to no more than the positive ones of all of them. *)
Lemma part_le_positive_parts : forall part rest vs, Permutation (part ++ rest) vs ->
  total part <= total (map positive_part vs).
Proof.
  intros part rest vs Hp. apply (Permutation_map positive_part) in Hp.
  rewrite <- (total_permutation _ _ Hp), map_app, total_app.
  pose proof (total_le_positive_parts part).
  assert (0 <= total (map positive_part rest)).
  { apply total_nonnegative, Forall_map, Forall_forall. intros v _. apply positive_part_bound. }
  lra.
Qed.

Lemma parts_on_grid : forall A e vs, value A (pow2 e) -> Forall (on_grid e) vs ->
  total (map positive_part vs) <= pow2 (precision A) * pow2 e ->
  total (map (fun v => positive_part (- v)) vs) <= pow2 (precision A) * pow2 e ->
  parts_are_values A vs.
Proof.
  intros A e vs He Hgrid Hpos Hneg part rest Hp.
  assert (Hpart : Forall (on_grid e) part).
  { symmetry in Hp. apply (Permutation_Forall Hp), Forall_app in Hgrid. apply Hgrid. }
  destruct (total_on_grid e part Hpart) as [m Hm]. rewrite Hm.
  apply value_grid; [exact He|].
  pose proof (part_le_positive_parts _ _ _ Hp) as Hupper.
  apply (Permutation_map Ropp) in Hp. rewrite map_app in Hp.
  pose proof (part_le_positive_parts _ _ _ Hp) as Hlower.
  rewrite total_opp, map_map in Hlower.
  rewrite <- (IZR_Zpower radix2) in Hpos, Hneg by (pose proof (precision_positive A); lia).
  change (radix_val radix2) with 2%Z in Hpos, Hneg.
  pose proof (bpow_gt_0 radix2 e).
  apply Z.abs_le. split; apply le_IZR; rewrite ?opp_IZR; apply Rmult_le_reg_r with (pow2 e); lra.
Qed.

(** R5: terms on a grid, the positive and the negative ones at most [2 ^ p] of it each, are summed exactly. *)
Lemma sums_exact : forall A b ts r e, value A (pow2 e) ->
  (exists m, b = IZR m * pow2 e) -> (forall w x, In (w, x) ts -> exists m, w * x = IZR m * pow2 e) ->
  total (map positive_part (b :: map (fun t => fst t * snd t) ts)) <= pow2 (precision A) * pow2 e ->
  total (map (fun v => positive_part (- v)) (b :: map (fun t => fst t * snd t) ts))
    <= pow2 (precision A) * pow2 e ->
  sums A b ts r -> r = b + total (map (fun t => fst t * snd t) ts).
Proof.
  intros A b ts r e He Hb Hts Hpos Hneg. apply sums_parts, (parts_on_grid A e); try assumption.
  constructor; [exact Hb|now apply (forall_products (on_grid e))].
Qed.

Lemma neuron_exact : forall A B b ts r e, within A B -> value A (pow2 e) ->
  (exists m, b = IZR m * pow2 e) -> (forall w x, In (w, x) ts -> exists m, w * x = IZR m * pow2 e) ->
  total (map positive_part (b :: map (fun t => fst t * snd t) ts)) <= pow2 (precision A) * pow2 e ->
  total (map (fun v => positive_part (- v)) (b :: map (fun t => fst t * snd t) ts))
    <= pow2 (precision A) * pow2 e ->
  neuron A B b ts r -> r = b + total (map (fun t => fst t * snd t) ts).
Proof.
  intros A B b ts r e Hw He Hb Hts Hpos Hneg. apply neuron_parts; [exact Hw|].
  apply (parts_on_grid A e); try assumption.
  constructor; [exact Hb|now apply (forall_products (on_grid e))].
Qed.

(** ** Bounded sums: R1 and R6 *)

(** How many of [vs] have a property. *)
Definition count (p : R -> bool) (vs : list R) : Z := Z.of_nat (length (filter p vs)).

Lemma count_cons : forall p v vs, count p (v :: vs) = ((if p v then 1 else 0) + count p vs)%Z.
Proof. intros p v vs. unfold count. simpl. destruct (p v); simpl length; lia. Qed.

Lemma count_app : forall p us vs, count p (us ++ vs) = (count p us + count p vs)%Z.
Proof. intros p us vs. unfold count. rewrite filter_app, app_length. lia. Qed.

Lemma count_nonnegative : forall p vs, (0 <= count p vs)%Z.
Proof. intros p vs. unfold count. lia. Qed.

Lemma count_permutation : forall p us vs, Permutation us vs -> count p us = count p vs.
Proof. induction 1; rewrite ?count_cons; lia. Qed.

Lemma count_none : forall p vs, Forall (fun v => p v = false) vs -> count p vs = 0%Z.
Proof. induction 1 as [|v vs Hv _ IH]; [easy|]. now rewrite count_cons, Hv, IH. Qed.

Lemma count_some : forall p vs, Exists (fun v => p v = true) vs -> (1 <= count p vs)%Z.
Proof.
  induction 1 as [v vs Hv|v vs _ IH]; rewrite count_cons.
  - rewrite Hv. pose proof (count_nonnegative p vs). lia.
  - destruct (p v); lia.
Qed.

(** What is above 0. *)
Definition is_positive (v : R) : bool := if Rlt_dec 0 v then true else false.

(** What is at most [- pow2 (- j)]. *)
Definition is_penalty (j : Z) (v : R) : bool := if Rle_dec v (- pow2 (- j)) then true else false.

(** Leaves that are at most 0, and 1 at most once. *)
Definition at_most_one (vs : list R) : Prop :=
  Forall (fun v => v <= 0 \/ v = 1) vs /\ (count is_positive vs <= 1)%Z.

(** 1, if it is there, less a [2 ^ j]-th for each penalty, as long as they last. *)
Definition bound (j : Z) (vs : list R) : R :=
  IZR (2 ^ j * count is_positive vs - Z.min (count (is_penalty j) vs) (2 ^ j)) * pow2 (- j).

Lemma at_most_one_app : forall us vs, at_most_one (us ++ vs) -> at_most_one us /\ at_most_one vs.
Proof.
  intros us vs [H1 H2]. apply Forall_app in H1. destruct H1. rewrite count_app in H2.
  pose proof (count_nonnegative is_positive us). pose proof (count_nonnegative is_positive vs).
  repeat split; try assumption; lia.
Qed.

Lemma at_most_one_permutation : forall us vs, Permutation us vs -> at_most_one us -> at_most_one vs.
Proof.
  intros us vs Hp [H1 H2]. split.
  - exact (Permutation_Forall Hp H1).
  - now rewrite <- (count_permutation _ _ _ Hp).
Qed.

Lemma bound_permutation : forall j us vs, Permutation us vs -> bound j us = bound j vs.
Proof. intros j us vs Hp. unfold bound. now rewrite !(count_permutation _ _ _ Hp). Qed.

Lemma scaled_one : forall j, (0 <= j)%Z -> IZR (2 ^ j) * pow2 (- j) = 1.
Proof.
  intros j Hj. change (2 ^ j)%Z with (radix2 ^ j)%Z.
  now rewrite IZR_Zpower, <- bpow_plus, Z.add_opp_diag_r by exact Hj.
Qed.

Lemma bound_leaf : forall j v, (0 <= j)%Z -> v <= 0 \/ v = 1 -> v <= bound j [v].
Proof.
  intros j v Hj Hv. unfold bound. rewrite !count_cons. unfold count, is_positive, is_penalty. simpl length.
  assert (Hpow : (1 <= 2 ^ j)%Z) by (apply (Z.pow_le_mono_r 2 0 j); lia).
  pose proof (bpow_gt_0 radix2 (- j)).
  destruct (Rlt_dec 0 v), (Rle_dec v (- pow2 (- j))).
  - lra.
  - replace (2 ^ j * _ - _)%Z with (2 ^ j)%Z by lia.
    rewrite scaled_one by exact Hj. lra.
  - replace (2 ^ j * _ - _)%Z with (-1)%Z by lia. lra.
  - replace (2 ^ j * _ - _)%Z with 0%Z by lia. lra.
Qed.

(** Penalties on both sides of an addition count together. *)
Lemma bound_app : forall j us vs, bound j us + bound j vs <= bound j (us ++ vs).
Proof.
  intros j us vs. unfold bound. rewrite !count_app, <- Rmult_plus_distr_r, <- plus_IZR.
  apply Rmult_le_compat_r; [apply bpow_ge_0|]. apply IZR_le.
  pose proof (count_nonnegative (is_penalty j) us). pose proof (count_nonnegative (is_penalty j) vs).
  lia.
Qed.

Lemma bound_value : forall A j vs, (0 <= j <= precision A)%Z -> value A (pow2 (- j)) ->
  at_most_one vs -> value A (bound j vs).
Proof.
  intros A j vs Hj Hv [_ Hone]. apply value_grid; [exact Hv|].
  assert (Hpow : (1 <= 2 ^ j <= 2 ^ precision A)%Z).
  { split; [apply (Z.pow_le_mono_r 2 0 j)|apply Z.pow_le_mono_r]; lia. }
  pose proof (count_nonnegative is_positive vs). pose proof (count_nonnegative (is_penalty j) vs).
  assert (count is_positive vs = 0%Z \/ count is_positive vs = 1%Z) as [-> | ->] by lia; lia.
Qed.

(** The bound is a value, so that no rounding exceeds it. *)
Lemma evaluates_bounded : forall A j t r, (0 <= j <= precision A)%Z -> value A (pow2 (- j)) ->
  at_most_one (exacts t) -> evaluates A t r -> r <= bound j (exacts t).
Proof.
  intros A j t r Hj Hv Hone H. revert Hone.
  apply (evaluates_leaves A (fun vs r => at_most_one vs -> r <= bound j vs)); [..|exact H].
  - intros v [Hle _]. apply bound_leaf; [lia|]. now inversion Hle.
  - intros v r' Hr Hone. apply (rounds_up_to A _ v); [now apply bound_value|exact Hr|].
    destruct Hone as [Hle _]. apply bound_leaf; [lia|]. now inversion Hle.
  - intros us vs x y r' Hx Hy Hr Hone. apply (rounds_up_to A _ (x + y)); [now apply bound_value|exact Hr|].
    apply at_most_one_app in Hone. destruct Hone as [Hus Hvs].
    specialize (Hx Hus). specialize (Hy Hvs). pose proof (bound_app j us vs). lra.
Qed.

Lemma sums_bounded : forall A j b ts r, (0 <= j <= precision A)%Z -> value A (pow2 (- j)) ->
  at_most_one (b :: products ts) -> sums A b ts r -> r <= bound j (b :: products ts).
Proof.
  intros A j b ts r Hj Hv Hone (t & Hp & H). apply exacts_permutation in Hp.
  rewrite <- (bound_permutation _ _ _ Hp). apply (evaluates_bounded A); try assumption.
  apply (at_most_one_permutation (b :: products ts)); [now symmetry|exact Hone].
Qed.

Lemma is_positive_false : forall v, v <= 0 -> is_positive v = false.
Proof. intros v Hv. unfold is_positive. destruct (Rlt_dec 0 v); [lra|reflexivity]. Qed.

Lemma none_positive : forall vs, Forall (fun v => v <= 0) vs -> count is_positive vs = 0%Z.
Proof. intros vs H. apply count_none. revert H. apply Forall_impl, is_positive_false. Qed.

Lemma nonpositive_at_most_one : forall vs, Forall (fun v => v <= 0) vs -> at_most_one vs.
Proof.
  intros vs H. split.
  - revert H. apply Forall_impl. now left.
  - now rewrite none_positive.
Qed.

(** R1 over a tree: terms that are at most 0 sum to at most 0, or -1 if one of them is at most -1. *)
Lemma sums_nonpositive_bounded : forall A vs b ts r, vs = b :: products ts ->
  Forall (fun v => v <= 0) vs -> sums A b ts r -> r <= IZR (- Z.min (count (is_penalty 0) vs) 1).
Proof.
  intros A vs b ts r -> Hle H. apply (sums_bounded A 0) in H.
  - unfold bound in H. rewrite (none_positive _ Hle) in H. simpl pow2 in H. rewrite Rmult_1_r in H. exact H.
  - pose proof (precision_positive A). lia.
  - apply value_1.
  - now apply nonpositive_at_most_one.
Qed.

(** R1 over a tree: nothing above 0 comes of terms that are at most 0. *)
Lemma sums_nonpositive : forall A b ts r, b <= 0 -> (forall w x, In (w, x) ts -> w * x <= 0) ->
  sums A b ts r -> r <= 0.
Proof.
  intros A b ts r Hb Hts H. apply (forall_products (fun v => v <= 0)) in Hts.
  eapply sums_nonpositive_bounded in H; [|reflexivity|now constructor].
  apply Rle_trans with (1 := H), IZR_le.
  pose proof (count_nonnegative (is_penalty 0) (b :: products ts)). lia.
Qed.

(** R1 over a tree: nothing above -1, if one of these terms is at most -1. *)
Lemma sums_at_most_minus_one : forall A b ts r, b <= 0 -> (forall w x, In (w, x) ts -> w * x <= 0) ->
  (exists w x, In (w, x) ts /\ w * x <= -1) -> sums A b ts r -> r <= -1.
Proof.
  intros A b ts r Hb Hts (w & x & Hin & Hwx) H. apply (forall_products (fun v => v <= 0)) in Hts.
  eapply sums_nonpositive_bounded in H; [|reflexivity|now constructor].
  apply Rle_trans with (1 := H), IZR_le.
  enough (1 <= count (is_penalty 0) (b :: products ts))%Z by lia.
  apply count_some, Exists_cons_tl, Exists_exists. exists (w * x). split.
  - apply (in_map (fun t => fst t * snd t) _ (w, x)), Hin.
  - unfold is_penalty. simpl pow2. destruct (Rle_dec (w * x) (- (1))); [reflexivity|lra].
Qed.

Lemma count_products : forall j ts,
  count (is_penalty j) (products ts) =
  Z.of_nat (length (filter (fun t => if Rle_dec (fst t * snd t) (- pow2 (- j)) then true else false) ts)).
Proof.
  intros j ts. unfold count. f_equal. induction ts as [|t ts IH]; [reflexivity|].
  simpl. unfold is_penalty at 1. destruct (Rle_dec (fst t * snd t) (- pow2 (- j))); simpl; now rewrite IH.
Qed.

(** R6, the indicator of a box outside of it: [2 ^ j] or more penalties of [pow2 (- j)] each take 1 to 0. *)
Lemma sums_dominated : forall A ts r j, (0 <= j <= precision A)%Z -> value A (pow2 (- j)) ->
  (forall w x, In (w, x) ts -> w * x <= 0) ->
  (2 ^ j <= Z.of_nat (length (filter
    (fun t => if Rle_dec (fst t * snd t) (- pow2 (- j)) then true else false) ts)))%Z ->
  sums A 1 ts r -> r <= 0.
Proof.
  intros A ts r j Hj Hv Hts Hcount H.
  apply (forall_products (fun v => v <= 0)) in Hts. rewrite <- count_products in Hcount.
  assert (Hnone := none_positive _ Hts).
  assert (Hone : is_positive 1 = true) by (unfold is_positive; destruct (Rlt_dec 0 1); [reflexivity|lra]).
  apply (sums_bounded A j) in H; try assumption.
  - apply Rle_trans with (1 := H). unfold bound. rewrite !count_cons, Hnone, Hone.
    apply Rle_trans with (0 * pow2 (- j)); [|lra].
    apply Rmult_le_compat_r; [apply bpow_ge_0|]. apply IZR_le. destruct (is_penalty j 1); lia.
  - split.
    + constructor; [now right|]. revert Hts. apply Forall_impl. now left.
    + rewrite count_cons, Hnone, Hone. lia.
Qed.

(** *** In an accumulator: 0 and -1 are values, and bounds that are values survive the last rounding *)

Lemma neuron_at_most : forall A B b ts r v, value A v -> (forall s, sums B b ts s -> s <= v) ->
  neuron A B b ts r -> r <= v.
Proof. intros A B b ts r v Hv Hs (s & H & Hr). apply (rounds_up_to A v s r Hv Hr). now apply Hs. Qed.

Lemma neuron_nonpositive : forall A B b ts r, b <= 0 -> (forall w x, In (w, x) ts -> w * x <= 0) ->
  neuron A B b ts r -> r <= 0.
Proof.
  intros A B b ts r Hb Hts. apply neuron_at_most; [apply value_0|].
  intros s. now apply sums_nonpositive.
Qed.

Lemma neuron_at_most_minus_one : forall A B b ts r, b <= 0 -> (forall w x, In (w, x) ts -> w * x <= 0) ->
  (exists w x, In (w, x) ts /\ w * x <= -1) -> neuron A B b ts r -> r <= -1.
Proof.
  intros A B b ts r Hb Hts Hex. apply neuron_at_most.
  - apply value_minus_1.
  - intros s. now apply sums_at_most_minus_one.
Qed.

Lemma neuron_dominated : forall A B ts r j, (0 <= j <= precision B)%Z -> value B (pow2 (- j)) ->
  (forall w x, In (w, x) ts -> w * x <= 0) ->
  (2 ^ j <= Z.of_nat (length (filter
    (fun t => if Rle_dec (fst t * snd t) (- pow2 (- j)) then true else false) ts)))%Z ->
  neuron A B 1 ts r -> r <= 0.
Proof.
  intros A B ts r j Hj Hv Hts Hcount. apply neuron_at_most; [apply value_0|].
  intros s. now apply sums_dominated with j.
Qed.
