(** * Every decision tree has a box network

    The side conditions can be met: here are networks of Step and of ReLU that compute a given decision tree at
    every input, on every path, if its thresholds have a next value and its labels are values. *)

From Coq Require Import ZArith List Reals Lra Lia Bool Arith.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Trees Network Formats Units Boxes Regions BoxNetwork Theorems.

Import ListNotations.
Open Scope R_scope.

(** Its thresholds, and the labels of the first [m] outputs. *)
Fixpoint thresholds (d : decision) : list R :=
  match d with
  | Answer _ => []
  | Decide _ t low high => t :: thresholds low ++ thresholds high
  end.

Definition value_labels (A : arithmetic) (m : nat) (d : decision) : Prop :=
  forall label o, In label (answers d) -> (o < m)%nat -> value A (label o).

(** ** Lists *)

Lemma Forall2_swap : forall (S T : Type) (P : S -> T -> Prop) k l,
  Forall2 P k l -> Forall2 (fun t s => P s t) l k.
Proof. intros S T P k l F. induction F; now constructor. Qed.

Lemma Forall2_lengths : forall (S T : Type) (P : S -> T -> Prop) k l, Forall2 P k l -> length k = length l.
Proof. intros S T P k l F. induction F as [| s t k l _ _ IH]; simpl; [| rewrite IH]; trivial. Qed.

Lemma Forall2_nth : forall (S T : Type) (P : S -> T -> Prop) k l i s,
  Forall2 P k l -> nth_error k i = Some s -> exists t, nth_error l i = Some t /\ P s t.
Proof.
  intros S T P k l i s F. revert i. induction F as [| s' t' k l H F IH]; intros [| i] E; try discriminate E.
  - injection E as <-. now exists t'.
  - now apply IH.
Qed.

Lemma Forall2_left : forall (S T : Type) (P : S -> T -> Prop) k l s,
  Forall2 P k l -> In s k -> exists t, In t l /\ P s t.
Proof.
  intros S T P k l s F I. apply In_nth_error in I. destruct I as [i E].
  destruct (Forall2_nth _ _ P k l i s F E) as (t & Et & H). exists t.
  split; trivial. now apply nth_error_In with i.
Qed.

Lemma Forall2_exists : forall (S T : Type) (P : S -> T -> Prop) k,
  (forall s, In s k -> exists t, P s t) -> exists l, Forall2 P k l.
Proof.
  intros S T P k. induction k as [| s k IH]; intros H; [now exists [] |].
  destruct (H s (or_introl eq_refl)) as [t Ht]. destruct (IH (fun s I => H s (or_intror I))) as [l Hl].
  exists (t :: l). now constructor.
Qed.

(** What an output has for each box, in the order of the boxes. *)
Lemma label_combined : forall b vs k i v, nth_error vs i = Some v ->
  label_of {| bias := b; weights := combine (seq k (length vs)) vs |} (k + i) = v.
Proof.
  intros b vs k i v E. unfold label_of. cbn [weights]. revert k i E.
  induction vs as [| u vs IH]; intros k [| i] E; try discriminate E; cbn [length seq combine filter fst].
  - injection E as <-. rewrite Nat.add_0_r, Nat.eqb_refl. cbn [map snd Sums.total fold_right].
    replace (filter _ _) with (@nil (nat * R)); [simpl; lra |]. symmetry. clear IH.
    assert (H : forall n, (k < n)%nat ->
      filter (fun t : nat * R => (fst t =? k)%nat) (combine (seq n (length vs)) vs) = []).
    { induction vs as [| w vs IH]; intros n L; [easy |]. cbn [length seq combine filter fst].
      destruct (Nat.eqb_spec n k); [lia |]. apply IH. lia. }
    apply H. lia.
  - destruct (Nat.eqb_spec k (k + S i)); [lia |]. rewrite <- (IH (S k) i E). do 3 f_equal.
    now rewrite <- Nat.add_succ_comm.
Qed.

Lemma placed_names : forall s region, map fst (placed s region) = named s.
Proof.
  induction s as [b | | b s IH | j t low IHl high IHh]; intros region; simpl; trivial.
  - now rewrite IH.
  - now rewrite map_app, IHl, IHh.
Qed.

Lemma placed_thresholds : forall d k region b r q,
  In (b, r) (placed (regions_of d k) region) -> In q r -> In q region \/ In (threshold q) (thresholds d).
Proof.
  induction d as [label | j t low IHl high IHh]; simpl; intros k region b r q I Q.
  - destruct I as [I | []]. injection I as _ <-. now left.
  - rewrite in_app_iff. apply in_app_or in I. destruct I as [I | I].
    + destruct (IHl _ _ _ _ q I Q) as [[<- | J] | J]; auto.
    + destruct (IHh _ _ _ _ q I Q) as [[<- | J] | J]; auto.
Qed.

(** A power of two that lifts finitely many positive numbers above 1. *)
Lemma lifting : forall gaps, Forall (fun g => 0 < g) gaps ->
  exists e, (0 <= e)%Z /\ Forall (fun g => 1 <= pow2 e * g) gaps.
Proof.
  intros gaps F. induction F as [| g gaps H F (e & P & L)]; [exists 0%Z; split; [lia | constructor] |].
  set (f := (- mag radix2 g + 1)%Z).
  assert (G : 1 <= pow2 f * g).
  { pose proof (bpow_mag_le radix2 g (Rgt_not_eq _ _ H)) as M. rewrite Rabs_pos_eq in M by lra.
    apply Rle_trans with (pow2 f * pow2 (mag radix2 g - 1)).
    - rewrite <- bpow_plus. apply (bpow_le radix2 0). unfold f. lia.
    - apply Rmult_le_compat_l; trivial. apply bpow_ge_0. }
  exists (Z.max e f). split; [lia |]. constructor.
  - apply Rle_trans with (1 := G). apply Rmult_le_compat_r; [lra |]. apply bpow_le. lia.
  - apply Forall_forall. intros g' I. rewrite Forall_forall in F, L. specialize (F g' I).
    apply Rle_trans with (1 := L g' I). apply Rmult_le_compat_r; [lra |]. apply bpow_le. lia.
Qed.

(** ** The network *)

Section Construction.

Variable A : arithmetic.
Variable act : activation.
Hypothesis hidden_act : act = Step \/ act = Relu.
Variable d : decision.
Variable m : nat.
Variable next : R -> R.
Hypothesis next_value : forall t, In t (thresholds d) -> adjacent A t (next t).
Hypothesis labels_values : value_labels A m d.

(** The unit that fires beyond a cut: below or at its threshold, or from the next value on. *)
Definition side_of (q : cut) : side :=
  let t := threshold q in
  if above q
  then {| column := cut_column q; upper := false; fires := t; silent := next t |}
  else {| column := cut_column q; upper := true; fires := - next t; silent := - t |}.

Definition unit_of (q : cut) : cell := {|
  bias := match act with Step => fires (side_of q) | _ => silent (side_of q) end;
  weights := [(cut_column q, if above q then -1 else 1)]
|}.

(** All regions of the leaves, and all cuts. *)
Let leaves := placed (regions_of d 0) [].
Let cuts := flat_map snd leaves.

Lemma cuts_adjacent : forall q, In q cuts -> adjacent A (threshold q) (next (threshold q)).
Proof.
  intros q I. apply in_flat_map in I. destruct I as ((b, r) & J & I). apply next_value.
  now destruct (placed_thresholds d 0 [] b r q J I) as [[] |].
Qed.

Lemma side_of_adjacent : forall q, In q cuts -> adjacent A (fires (side_of q)) (silent (side_of q)).
Proof.
  intros q I. apply cuts_adjacent in I. unfold side_of. destruct (above q); trivial. now apply adjacent_opp.
Qed.

Lemma unit_recognised : forall q, In q cuts ->
  recognised_unit A (every_input A) act (unit_of q) (side_of q) 0.
Proof.
  intros q I. apply side_of_adjacent in I. unfold unit_of. destruct hidden_act as [-> | ->]; constructor.
  - repeat split; [apply I | unfold side_of; now destruct (above q)].
  - right. now exists (silent (side_of q)).
  - split; [lia |]. split; trivial. cbn [bias weights]. split; [simpl; ring |].
    unfold side_of. now destruct (above q).
Qed.

(** The unit fires exactly beyond the cut. *)
Lemma side_of_beyond : forall q v, In q cuts -> value A v ->
  beyond q v <-> fires_at (side_of q) (fun _ => v) = true.
Proof.
  intros q v I V. apply cuts_adjacent in I. destruct I as (_ & _ & L & N). specialize (N v V).
  unfold beyond, satisfies, fires_at, side_of. destruct (above q); simpl;
    repeat match goal with |- context [Rle_dec ?a ?b] => destruct (Rle_dec a b) end; simpl;
    intuition (try discriminate; lra).
Qed.

(** A box for a region: all units beyond its cuts have to be silent. *)
Definition box_for (w : R) (r : list cut) (c : cell) : Prop :=
  bias c = match act with Relu => 1 | _ => 0 end /\
  Forall2 (fun q t => nth_error cuts (fst t) = Some q /\ snd t = w) r (weights c).

Lemma box_exists : forall w r, incl r cuts -> exists c, box_for w r c.
Proof.
  intros w r I.
  destruct (Forall2_exists _ _ (fun q t => nth_error cuts (fst t) = Some q /\ snd t = w) r) as [ws F].
  - intros q Q. destruct (In_nth_error _ _ (I q Q)) as [u U]. now exists (u, w).
  - now exists {| bias := match act with Relu => 1 | _ => 0 end; weights := ws |}.
Qed.

Definition unit_side (u : nat) : side :=
  match nth_error cuts u with
  | Some q => side_of q
  | None => {| column := 0; upper := false; fires := 0; silent := 0 |}
  end.

Lemma box_for_term : forall w r c t, box_for w r c -> In t (weights c) ->
  exists q, In q r /\ In q cuts /\ (fst t < length cuts)%nat /\ unit_side (fst t) = side_of q /\ snd t = w.
Proof.
  intros w r c t [_ F] I. apply Forall2_swap in F. destruct (Forall2_left _ _ _ _ _ t F I) as (q & Q & E & W).
  exists q. unfold unit_side. rewrite E. repeat split; trivial.
  - now apply nth_error_In with (fst t).
  - apply nth_error_Some. now rewrite E.
Qed.

Lemma box_for_places : forall w r c, w < 0 -> box_for w r c ->
  lies_within A unit_side c r /\ fills A unit_side c r.
Proof.
  intros w r c W F. split.
  - intros q Q. destruct F as [_ F]. destruct (Forall2_left _ _ _ _ _ q F Q) as (t & T & E & S).
    pose proof (nth_error_In _ _ E) as C. exists t. split; trivial.
    unfold excludes, met, unit_side. rewrite E, S. split.
    + unfold side_of. now destruct (above q).
    + intros v V B. destruct (Rlt_dec 0 w); [lra |]. apply (side_of_beyond q v C V) in B. now rewrite B.
  - intros t T. destruct (box_for_term w r c t F T) as (q & Q & C & _ & U & S). exists q. split; trivial.
    unfold excludes, met. rewrite U, S. split.
    + unfold side_of. now destruct (above q).
    + intros v V B. destruct (Rlt_dec 0 w); [lra |]. apply negb_false_iff in B.
      now apply (side_of_beyond q v C V).
Qed.

Lemma box_for_recognised : forall e r c, (act = Step -> e = 0%Z) ->
  (forall q, In q cuts -> 1 <= pow2 e * (next (threshold q) - threshold q) \/ act = Step) ->
  box_for (- pow2 e) r c -> recognised_box A act unit_side (fun _ => 0%Z) c.
Proof.
  intros e r c E G F. assert (W : forall u w, In (u, w) (weights c) -> w = - pow2 e).
  { intros u w I. now destruct (box_for_term _ r c (u, w) F I) as (_ & _ & _ & _ & _ & H). }
  destruct hidden_act as [K | K]; rewrite K in *; cbn [recognised_box].
  - rewrite (E eq_refl) in *. assert (N : required c = 0%nat).
    { unfold required. apply length_zero_iff_nil.
      destruct (filter _ (weights c)) as [| [u w] l] eqn:L; trivial.
      assert (I : In (u, w) ((u, w) :: l)) by now left. rewrite <- L in I. apply filter_In in I.
      destruct I as [I P]. rewrite (W u w I) in P. cbn [snd] in P.
      destruct (Rlt_dec 0 _) as [Q | _]; [| discriminate]. simpl in Q. lra. }
    split.
    + intros u w I. right. rewrite (W u w I). simpl. lra.
    + rewrite N. destruct F as [-> _]. rewrite K. simpl. ring.
    + rewrite N. lia.
  - apply relu_box_strong; [destruct F as [-> _]; now rewrite K |]. intros u w I. exists e.
    split; [now apply (W u) |]. destruct (box_for_term _ r c (u, w) F I) as (q & _ & C & _ & U & _).
    cbn [fst] in U. rewrite U. destruct (G q C) as [L | L]; [| discriminate].
    replace (silent (side_of q) - fires (side_of q)) with (next (threshold q) - threshold q).
    + simpl. lra.
    + unfold side_of. destruct (above q); simpl; ring.
Qed.

(** The last layer: for each output, the labels of all leaves. *)
Definition output (o : nat) : cell := {|
  bias := 0;
  weights := combine (seq 0 (length (answers d))) (map (fun label => label o) (answers d))
|}.

Theorem tree_network : exists n units scale,
  hidden n = act /\ length (last n) = m /\
  recognised A (every_input A) n units scale /\ plain_labels A n /\ computes_tree A n units d.
Proof.
  assert (G : exists e, (0 <= e)%Z /\ (act = Step -> e = 0%Z) /\
    forall q, In q cuts -> 1 <= pow2 e * (next (threshold q) - threshold q) \/ act = Step).
  { destruct hidden_act as [K | K].
    - exists 0%Z. split; [lia | auto].
    - destruct (lifting (map (fun q => next (threshold q) - threshold q) cuts)) as (e & P & L).
      + apply Forall_forall. intros g I. apply in_map_iff in I. destruct I as (q & <- & I).
        destruct (cuts_adjacent q I) as (_ & _ & L & _). lra.
      + exists e. split; trivial. split; [rewrite K; discriminate |]. intros q I. left.
        rewrite Forall_forall in L. now apply L, (in_map (fun q => next (threshold q) - threshold q)). }
  destruct G as (e & _ & Es & G).
  destruct (Forall2_exists _ _ (fun p c => box_for (- pow2 e) (snd p) c) leaves) as [boxes F].
  { intros (b, r) I. apply box_exists. intros q Q. apply in_flat_map. now exists (b, r). }
  assert (N : map fst leaves = seq 0 (length (answers d))).
  { unfold leaves. now rewrite placed_names, regions_named. }
  assert (Len : length boxes = length (answers d)).
  { rewrite <- (Forall2_lengths _ _ _ _ _ F), <- (map_length fst), N. apply seq_length. }
  assert (At : forall b c, nth_error boxes b = Some c -> exists r, box_for (- pow2 e) r c).
  { intros b c E. apply Forall2_swap in F.
    destruct (Forall2_nth _ _ _ _ _ b c F E) as ((b', r) & _ & H).
    now exists r. }
  assert (Last : forall o c, nth_error (map output (seq 0 m)) o = Some c -> (o < m)%nat /\ c = output o).
  { intros o c E. rewrite nth_error_map in E.
    destruct (nth_error (seq 0 m) o) as [o' |] eqn:S; [| discriminate].
    injection E as <-. assert (L : (o < m)%nat).
    { rewrite <- (seq_length m 0). apply nth_error_Some. now rewrite S. }
    split; trivial. f_equal. apply nth_error_nth with (d := 0%nat) in S. now rewrite seq_nth in S. }
  exists {| hidden := act; first := map unit_of cuts; second := boxes; last := map output (seq 0 m) |},
    unit_side, (fun _ => 0%Z).
  split; trivial. split; [cbn; now rewrite map_length, seq_length |]. split; [| split].
  - split; cbn [hidden first second last]; trivial.
    + intros i c E. rewrite nth_error_map in E. unfold unit_side.
      destruct (nth_error cuts i) as [q |] eqn:Q; [| discriminate].
      injection E as <-. now apply unit_recognised, nth_error_In with i.
    + intros i c E. destruct (At i c E) as (r & H). now apply box_for_recognised with e r.
    + intros i c u w E I. destruct (At i c E) as (r & H). rewrite map_length.
      now destruct (box_for_term _ r c (u, w) H I) as (_ & _ & _ & L & _).
    + intros o c b w E I. destruct (Last o c E) as [_ ->]. apply in_combine_l, in_seq in I. lia.
  - intros o c E. destruct (Last o c E) as [L ->]. split; trivial. split.
    + unfold output. cbn [weights]. rewrite <- (map_length (fun label => label o) (answers d)) at 1.
      replace (map fst _) with (seq 0 (length (map (fun label => label o) (answers d)))); [apply seq_NoDup |].
      generalize 0%nat.
      induction (map (fun label => label o) (answers d)) as [| v vs IH]; intros k; simpl; trivial.
      now rewrite <- IH.
    + intros b w I. apply in_combine_r, in_map_iff in I. destruct I as (label & <- & I).
      now apply labels_values.
  - split; cbn [second last]; trivial.
    + intros b r I. apply In_nth_error in I. destruct I as [i I].
      assert (b = i) as ->.
      { pose proof (map_nth_error fst i _ I) as J. fold leaves in J. rewrite N in J. cbn [fst] in J.
        assert (L : (i < length (answers d))%nat).
        { rewrite <- (seq_length (length (answers d)) 0). apply nth_error_Some. now rewrite J. }
        apply nth_error_nth with (d := 0%nat) in J. rewrite seq_nth in J; trivial. now symmetry. }
      destruct (Forall2_nth _ _ _ _ _ i (i, r) F I) as (c & E & H).
      unfold box_at. cbn [second]. rewrite (nth_error_nth _ _ _ E).
      apply box_for_places with (- pow2 e); trivial.
      pose proof (bpow_gt_0 radix2 e). lra.
    + intros o c b label E I. destruct (Last o c E) as [_ ->]. unfold output.
      rewrite <- (map_length (fun label => label o) (answers d)) at 1.
      apply (label_combined 0 _ 0 b). now apply (map_nth_error (fun label => label o)).
Qed.

(** On every path, in every accumulator, it gives the value of the tree. *)
Corollary tree_has_network : exists n, hidden n = act /\ length (last n) = m /\
  forall B, within A B -> forall x, every_input A x -> always_gives A B n x (decides d x).
Proof.
  destruct tree_network as (n & units & scale & H & L & R & P & T). exists n. repeat (split; trivial).
  - apply computes_total.
  - now apply (tree_computed A B n units scale d).
Qed.

End Construction.

(** With gradual underflow, every decision tree whose thresholds and labels are values has a network of Step and
    one of ReLU. *)
Corollary tree_has_network_FLT : forall e p Hp He act d m, act = Step \/ act = Relu ->
  let A := FLT_arithmetic e p Hp He in
  Forall (value A) (thresholds d) -> value_labels A m d ->
  exists n, hidden n = act /\ length (last n) = m /\
    forall B, within A B -> forall x, every_input A x -> always_gives A B n x (decides d x).
Proof.
  intros e p Hp He act d m K A T L. apply tree_has_network with (succ radix2 (FLT_exp e p)); trivial.
  intros t I. rewrite Forall_forall in T. now apply FLT_adjacent_succ, T.
Qed.
