(** * Bounded exponents, with infinities: the box network

    A network that is recognised as in [BoxNetwork], whose thresholds and sums are within the format, gives the labels
    of the boxes around the input, exactly, on every path: any tree, any contraction, and for each operation any direction.
    Some of what it computes may overflow; nothing is NaN. *)

From Coq Require Import List Permutation ZArith Reals Lra Lia Bool Arith.
From Flocq Require Import Core IEEE754.BinarySingleNaN.
From Roundproof Require Import Arithmetic Formats Sums Network Units Boxes BoxNetwork Theorems.
From Roundproof Require Import Overflow OverflowSums OverflowGrid OverflowUnits OverflowBoxes.

Import ListNotations.
Open Scope R_scope.

Section Network.

Variable prec emax : Z.
Context (prec_positive : Prec_gt_0 prec).
Context (prec_below_emax : Prec_lt_emax prec emax).

Notation emin := (SpecFloat.emin prec emax).
Notation datum := (binary_float prec emax).
Notation fcell := (OverflowUnits.fcell prec emax).
Notation unbounded := (OverflowUnits.unbounded prec emax prec_positive prec_below_emax).

(** ** Networks over data *)

Record fnetwork := { fhidden : activation; ffirst : list fcell; fsecond : list fcell; flast : list fcell }.

(** [fgives act cells x y]: on some path, the layer gives [y] at the input [x]. *)
Definition fgives (act : activation) (cells : list fcell) (x y : nat -> datum) : Prop :=
  forall i c, nth_error cells i = Some c ->
    exists r, fsums (fbias c) (fterms x c) r /\ y i = factivate act r.

(** [fcomputes n x y]: on some path, the network gives [y] at the input [x]. *)
Definition fcomputes (n : fnetwork) (x y : nat -> datum) : Prop :=
  exists u h,
    fgives (fhidden n) (ffirst n) x u /\
    fgives (fhidden n) (fsecond n) u h /\
    fgives Identity (flast n) h y.

(** No path through any neuron of the layer meets NaN. *)
Definition never_nan (cells : list fcell) (x : nat -> datum) : Prop :=
  forall i c t r, nth_error cells i = Some c ->
    Permutation (fleaves t) (fleaves_of (fbias c) (fterms x c)) -> fevaluates t r -> without_nan t r.

(** What a network gives for sure at an input: there are paths, and whatever path each layer takes, no operation gives
    NaN, and each output is finite, of the value [f]. *)
Definition falways_gives (n : fnetwork) (x : nat -> datum) (f : nat -> R) : Prop :=
  (exists y, fcomputes n x y) /\
  forall u h y,
    fgives (fhidden n) (ffirst n) x u -> fgives (fhidden n) (fsecond n) u h -> fgives Identity (flast n) h y ->
    never_nan (ffirst n) x /\ never_nan (fsecond n) u /\ never_nan (flast n) h /\
    forall o, (o < length (flast n))%nat -> exactly (f o) (y o).

Lemma falways_gives_output : forall n x f y o, falways_gives n x f -> fcomputes n x y ->
  (o < length (flast n))%nat -> exactly (f o) (y o).
Proof. intros n x f y o (_ & H) (u & h & U & G & Y) L. now apply (H u h y U G Y). Qed.

(** A layer does not meet NaN if its sums are not NaN. *)
Lemma never_nan_by_sums : forall cells x,
  (forall i c r, nth_error cells i = Some c -> fsums (fbias c) (fterms x c) r -> is_nan r = false) ->
  never_nan cells x.
Proof.
  intros cells x H i c t r E P T. apply nan_would_stay; [exact T|]. apply (H i c r E). now exists t.
Qed.

(** ** One of the paths: from left to right, always in the same direction *)

Definition sequential (m : mode) (bias : datum) (terms : list (datum * datum)) : datum :=
  fold_left (fun s '(w, x) => Bplus m s (Bmult m w x)) terms bias.

Lemma sequential_tree : forall m terms t s, fevaluates t s ->
  exists t', fleaves t' = fleaves t ++ map (fun '(w, x) => FProduct w x) terms /\
    fevaluates t' (sequential m s terms).
Proof.
  intros m terms. induction terms as [|[w x] terms IH]; intros t s T.
  - exists t. now rewrite app_nil_r.
  - destruct (IH (FAdd t (FLeaf (FProduct w x))) (Bplus m s (Bmult m w x))) as (t' & E & T').
    + constructor; [exact T|constructor].
    + exists t'. split; [|exact T']. rewrite E. simpl. now rewrite <- app_assoc.
Qed.

Lemma sequential_is_a_path : forall m bias terms, fsums bias terms (sequential m bias terms).
Proof.
  intros m bias terms. destruct (sequential_tree m terms (FLeaf (FNumber bias)) bias) as (t & E & T).
  - constructor.
  - exists t. split; [|exact T]. rewrite E. apply Permutation_refl.
Qed.

Definition run_layer (m : mode) (act : activation) (cells : list fcell) (x : nat -> datum) (i : nat) : datum :=
  match nth_error cells i with
  | Some c => factivate act (sequential m (fbias c) (fterms x c))
  | None => B754_zero false
  end.

(** What a program gives that adds from left to right, as a rule with [mode_NE], ties to even. *)
Definition run (m : mode) (n : fnetwork) (x : nat -> datum) : nat -> datum :=
  run_layer m Identity (flast n) (run_layer m (fhidden n) (fsecond n) (run_layer m (fhidden n) (ffirst n) x)).

Lemma run_layer_is_a_path : forall m act cells x, fgives act cells x (run_layer m act cells x).
Proof.
  intros m act cells x i c E. exists (sequential m (fbias c) (fterms x c)).
  split; [apply sequential_is_a_path|]. unfold run_layer. now rewrite E.
Qed.

Theorem run_is_a_path : forall m n x, fcomputes n x (run m n x).
Proof.
  intros m n x. exists (run_layer m (fhidden n) (ffirst n) x).
  exists (run_layer m (fhidden n) (fsecond n) (run_layer m (fhidden n) (ffirst n) x)).
  repeat split; apply run_layer_is_a_path.
Qed.

(** ** Recognition *)

(** The same network over the reals. *)
Definition real_network (n : fnetwork) : network :=
  {| hidden := fhidden n; first := map real_cell (ffirst n); second := map real_cell (fsecond n);
     last := map real_cell (flast n) |}.

(** A box network: what is stored is finite, it is one without the largest value, and its units are in range. *)
Record frecognised (D : inputs) (n : fnetwork) (units : sides) (scale : scales) : Prop := {
  stored_finite : forall c, In c (ffirst n ++ fsecond n ++ flast n) -> finite_cell c;
  recognised_unbounded : recognised unbounded D (real_network n) units scale;
  units_in_range : forall i, (i < length (ffirst n))%nat ->
    unit_in_range prec emax (fhidden n) (units i) (scale i)
}.

(** [SumRange]: neither the positive nor the negative terms of a sum add up to more than the format has. *)
Definition sum_in_range (b : R) (vs : list R) : Prop :=
  positives (b :: vs) < pow2 emax /\ negatives (b :: vs) < pow2 emax.

Lemma real_layer : forall (cells : list fcell) i c, nth_error cells i = Some c ->
  nth_error (map real_cell cells) i = Some (real_cell c).
Proof. intros cells i c E. now apply map_nth_error. Qed.

(** ** The hidden layers *)

Section Hidden.

Variables (D : inputs) (n : fnetwork) (units : sides) (scale : scales) (x : nat -> datum).
Hypothesis recognition : frecognised D n units scale.
Hypothesis input_in_question : D (real_input x).
Hypothesis input_finite : forall j, is_finite (x j) = true.

Lemma first_layer_tells : forall i c r, nth_error (ffirst n) i = Some c -> fsums (fbias c) (fterms x c) r ->
  is_nan r = false /\ ftells (fhidden n) (units i) (scale i) x (factivate (fhidden n) r).
Proof.
  intros i c r E S. destruct recognition as [F R V].
  apply (unit_tells_with_overflow prec emax _ _ D) with (6 := S); auto.
  - apply F, in_or_app. left. now apply nth_error_In with i.
  - exact (first_units _ _ _ _ _ R i _ (real_layer _ _ _ E)).
  - apply V. apply nth_error_Some. congruence.
Qed.

Variable u : nat -> datum.
Hypothesis first_gives : fgives (fhidden n) (ffirst n) x u.

Lemma second_layer_tells : forall b c r, nth_error (fsecond n) b = Some c -> fsums (fbias c) (fterms u c) r ->
  is_nan r = false /\
  exactly (if around (real_network n) units (real_input x) b then 1 else 0) (factivate (fhidden n) r).
Proof.
  intros b c r E S. destruct recognition as [F R V]. pose proof (real_layer _ _ _ E) as E'.
  assert (A : box_at (real_network n) b = real_cell c) by now apply nth_error_nth.
  unfold around. rewrite A.
  apply (box_indicator_with_overflow prec emax _ _ (fhidden n) units scale c x u); auto.
  - apply F, in_or_app. right. apply in_or_app. left. now apply nth_error_In with b.
  - exact (second_boxes _ _ _ _ _ R b _ E').
  - intros i w I. destruct (nth_error (ffirst n) i) as [c' |] eqn:Ei.
    + destruct (first_gives i c' Ei) as (s & Ss & ->). now apply first_layer_tells with c'.
    + apply nth_error_None in Ei. apply real_weight_in in I.
      pose proof (second_reads _ _ _ _ _ R b _ i _ E' I) as L. simpl in L. rewrite map_length in L. lia.
Qed.

End Hidden.

(** ** The last layer *)

(** Exact sums are on a grid within reach: one label alone is, too. *)
Lemma exact_sum_on_grid : forall b vs, exact_sum unbounded b vs ->
  exists e, (emin <= e)%Z /\ Forall (Sums.on_grid e) (b :: vs) /\
    positives (b :: vs) <= pow2 prec * pow2 e /\ negatives (b :: vs) <= pow2 prec * pow2 e.
Proof.
  intros b vs [Z L V | e E G P N].
  - assert (B : 0 < pow2 prec * pow2 emin) by (apply Rmult_lt_0_compat; apply bpow_gt_0).
    subst b. destruct vs as [|v [|]]; [| |simpl in L; lia].
    + exists emin. split; [lia|]. split; [|].
      * constructor; [exists 0%Z; simpl; ring|constructor].
      * unfold positives, negatives, positive_part. simpl. rewrite Ropp_0, Rmax_left by lra. lra.
    + apply Forall_inv in V. apply FLT_format_generic in V; [|exact prec_positive].
      destruct V as [[m e] -> Hm He]. simpl in Hm, He. exists e. split; [exact He|]. split.
      * constructor; [exists 0%Z; simpl; ring|]. constructor; [now exists m|constructor].
      * assert (G := bpow_gt_0 radix2 e). assert (K : Rabs (F2R (Float radix2 m e)) <= pow2 prec * pow2 e).
        { unfold F2R. simpl. rewrite Rabs_mult, (Rabs_pos_eq (pow2 e)), <- abs_IZR by lra.
          apply Rmult_le_compat_r; [lra|]. rewrite <- IZR_Zpower by (generalize (prec_gt_0 prec); lia).
          apply IZR_le. now apply Z.lt_le_incl. }
        apply Rabs_le_inv in K. unfold positives, negatives, positive_part. simpl.
        rewrite Ropp_0, (Rmax_left 0) by lra.
        split; rewrite Rplus_0_l, Rplus_0_r; apply Rmax_lub; lra.
  - exists e. split; [|now repeat split]. apply FLT_power in E; [exact E|]. exact (prec_gt_0 prec).
Qed.

Lemma last_layer_exact : forall (k : nat -> bool) h (c : fcell) r, finite_cell c ->
  (forall b w, In (b, w) (fweights c) -> exactly (if k b then 1 else 0) (h b)) ->
  let chosen := map snd (filter (fun t => k (fst t)) (weights (real_cell c))) in
  exact_sum unbounded (bias (real_cell c)) chosen -> sum_in_range (bias (real_cell c)) chosen ->
  fsums (fbias c) (fterms h c) r -> exactly (bias (real_cell c) + total chosen) r.
Proof.
  intros k h c r F H chosen X [Rp Rn] S.
  assert (H' : forall b w, In (b, w) (weights (real_cell c)) -> real_input h b = if k b then 1 else 0).
  { intros b w I. apply in_real_weights in I. destruct I as (w' & I & _). now destruct (H b w' I). }
  assert (E : map (fun t => B2R (fst t) * B2R (snd t)) (fterms h c) = products (terms (real_input h) (real_cell c))).
  { unfold fterms, products, terms. simpl. rewrite !map_map. apply map_ext. now intros [b w]. }
  destruct (exact_sum_on_grid _ _ X) as (e & He & G & P & N).
  assert (Cp : positives (B2R (fbias c) :: products (terms (real_input h) (real_cell c)))
    = positives (bias (real_cell c) :: chosen)).
  { unfold positives. rewrite !total_cons. f_equal. apply (total_chosen k); [exact H'|].
    unfold positive_part. apply Rmax_left. lra. }
  assert (Cn : negatives (B2R (fbias c) :: products (terms (real_input h) (real_cell c)))
    = negatives (bias (real_cell c) :: chosen)).
  { unfold negatives. rewrite !total_cons. f_equal. apply (total_chosen k _ _ H' (fun v => positive_part (- v))).
    unfold positive_part. rewrite Ropp_0. apply Rmax_left. lra. }
  replace (bias (real_cell c) + total chosen)
    with (total (B2R (fbias c) :: map (fun t => B2R (fst t) * B2R (snd t)) (fterms h c))).
  - apply fsums_total with (e := e) (10 := S); rewrite ?E; auto.
    + apply F.
    + intros w v I. apply in_fterms in I. destruct I as (b & I & ->). split; [now apply F with b|now apply H with w].
    + now apply Forall_inv in G.
    + intros w v I. apply in_fterms in I. destruct I as (b & I & ->). destruct (H b w I) as [_ ->].
      destruct (k b) eqn:K; [|exists 0%Z; simpl; ring].
      rewrite Forall_forall in G. rewrite Rmult_1_r. apply G. right.
      apply (in_map snd _ (b, B2R w)), filter_In. split; [now apply real_weight_in|exact K].
    + now rewrite Cp.
    + now rewrite Cn.
    + now rewrite Cp.
    + now rewrite Cn.
  - rewrite E. unfold chosen. now rewrite <- (products_chosen k _ _ H').
Qed.

(** ** The theorem *)

(** On every path, a recognised network gives the bias and the labels of the boxes around the input. *)
Theorem box_network_with_overflow : forall D n units scale x f,
  frecognised D n units scale -> D (real_input x) -> (forall j, is_finite (x j) = true) ->
  (forall o c, nth_error (flast n) o = Some c ->
    let vs := labels (real_network n) units (real_input x) (real_cell c) in
    exact_sum unbounded (bias (real_cell c)) vs /\ sum_in_range (bias (real_cell c)) vs /\
    bias (real_cell c) + total vs = f o) ->
  falways_gives n x f.
Proof.
  intros D n units scale x f R Dx Fx S. split; [exists (run mode_NE n x); apply run_is_a_path|].
  intros u h y U H Y.
  assert (L : forall o c r, nth_error (flast n) o = Some c -> fsums (fbias c) (fterms h c) r -> exactly (f o) r).
  { intros o c r E T. destruct (S o c E) as (X & B & <-). apply (last_layer_exact _ h c r); auto.
    - apply (stored_finite _ _ _ _ R), in_or_app. right. apply in_or_app. right. now apply nth_error_In with o.
    - intros b w I. destruct (nth_error (fsecond n) b) as [c' |] eqn:Eb.
      + destruct (H b c' Eb) as (s & Ss & ->). now apply (second_layer_tells D n units scale x R Dx Fx u U b c').
      + apply nth_error_None in Eb. apply real_weight_in in I.
        pose proof (last_reads _ _ _ _ _ (recognised_unbounded _ _ _ _ R) o _ b _ (real_layer _ _ _ E) I) as K.
        simpl in K. rewrite map_length in K. lia. }
  repeat split.
  - apply never_nan_by_sums. intros i c r E T. now apply (first_layer_tells D n units scale x R Dx Fx i c r).
  - apply never_nan_by_sums. intros b c r E T. now apply (second_layer_tells D n units scale x R Dx Fx u U b c r).
  - apply never_nan_by_sums. intros o c r E T. exact (exactly_is_not_nan _ _ _ _ (L o c r E T)).
  - destruct (nth_error (flast n) o) as [c |] eqn:E.
    + destruct (Y o c E) as (r & T & ->). now apply (L o c r E T).
    + apply nth_error_None in E. lia.
  - destruct (nth_error (flast n) o) as [c |] eqn:E.
    + destruct (Y o c E) as (r & T & ->). now apply (L o c r E T).
    + apply nth_error_None in E. lia.
Qed.

(** With disjoint boxes and no biases, that is the label of the box around the input, and zero outside of all. *)
Theorem box_network_disjoint_with_overflow : forall D n units scale x b,
  frecognised D n units scale -> D (real_input x) -> (forall j, is_finite (x j) = true) ->
  plain_labels unbounded (real_network n) -> alone (real_network n) units (real_input x) b ->
  falways_gives n x (fun o =>
    if around (real_network n) units (real_input x) b
    then match nth_error (flast n) o with Some c => label_of (real_cell c) b | None => 0 end
    else 0).
Proof.
  intros D n units scale x b R Dx Fx P O. apply box_network_with_overflow with D units scale; auto.
  intros o c E. cbv zeta. pose proof (real_layer _ _ _ E) as E'. destruct (P o _ E') as (Z & N & V).
  destruct (alone_labels (real_network n) units (real_input x) (real_cell c) b) as [L T]; auto.
  { intros b' w. exact (last_reads _ _ _ _ _ (recognised_unbounded _ _ _ _ R) o _ b' w E'). }
  set (vs := labels _ _ _ _) in *. assert (B : forall v, In v vs -> Rabs v < pow2 emax).
  { intros v I. apply in_map_iff in I. destruct I as ([b' w] & <- & I). apply filter_In in I. destruct I as [I _].
    apply in_real_weights in I. destruct I as (w' & _ & <-). apply abs_B2R_lt_emax. }
  rewrite E, Z, T, Rplus_0_l. split; [|split]; [| |reflexivity].
  - apply Selection; auto. apply Forall_forall. intros v I. apply in_map_iff in I.
    destruct I as ([b' w] & <- & I). apply filter_In in I. now apply (V b').
  - assert (K := bpow_gt_0 radix2 emax).
    unfold sum_in_range, positives, negatives, positive_part. destruct vs as [|v [|]]; [| |simpl in L; lia]; simpl.
    + rewrite Ropp_0, Rmax_left; lra.
    + specialize (B v (or_introl eq_refl)). apply Rabs_lt_inv in B.
      rewrite Ropp_0, (Rmax_left 0) by lra.
      split; rewrite Rplus_0_l, Rplus_0_r; apply Rmax_lub_lt; lra.
Qed.

(** Ties to even from left to right, as a program has it: one of the paths. *)
Corollary box_network_left_to_right : forall D n units scale x b m o,
  frecognised D n units scale -> D (real_input x) -> (forall j, is_finite (x j) = true) ->
  plain_labels unbounded (real_network n) -> alone (real_network n) units (real_input x) b ->
  (o < length (flast n))%nat ->
  exactly
    (if around (real_network n) units (real_input x) b
     then match nth_error (flast n) o with Some c => label_of (real_cell c) b | None => 0 end
     else 0)
    (run m n x o).
Proof.
  intros D n units scale x b m o R Dx Fx P O L.
  refine (falways_gives_output n x _ _ o (box_network_disjoint_with_overflow D n units scale x b R Dx Fx P O) _ L).
  apply run_is_a_path.
Qed.

End Network.
