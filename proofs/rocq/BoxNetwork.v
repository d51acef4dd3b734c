(** * What a box network gives

    On every path: the bias and the labels of the boxes around the input, exactly where they add up exactly,
    and with a bounded error elsewhere. *)

From Coq Require Import ZArith List Permutation Reals Lra Lia Bool Arith.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Trees Sums SumsError Network Units Boxes.

Import ListNotations.
Open Scope R_scope.

(** ** Recognition *)

(** A box network, over the inputs in question. Units and boxes have side conditions of their own, see there.
    [Layers]: no unit and no box is recognised unless the activation is Step or ReLU. What a neuron reads is
    there. *)
Record recognised (A : arithmetic) (D : inputs) (n : network) (units : sides) (scale : scales) : Prop := {
  inputs_values : forall x, D x -> every_input A x;
  first_units : forall i c, nth_error (first n) i = Some c ->
    recognised_unit A D (hidden n) c (units i) (scale i);
  second_boxes : forall i c, nth_error (second n) i = Some c -> recognised_box A (hidden n) units scale c;
  second_reads : forall i c u w, nth_error (second n) i = Some c -> In (u, w) (weights c) ->
    (u < length (first n))%nat;
  last_reads : forall o c b w, nth_error (last n) o = Some c -> In (b, w) (weights c) ->
    (b < length (second n))%nat
}.

(** A box of the network. *)
Definition box_at (n : network) (b : nat) : cell := nth b (second n) {| bias := 0; weights := [] |}.

(** Whether an input is inside of it. *)
Definition around (n : network) (units : sides) (x : nat -> R) (b : nat) : bool :=
  inside units (box_at n b) x.

(** The labels that an output has stored for the boxes around an input. *)
Definition labels (n : network) (units : sides) (x : nat -> R) (c : cell) : list R :=
  map snd (filter (fun t => around n units x (fst t)) (weights c)).

(** When the bias and the labels around an input add up without an error ([Sum]): there is one label at most
    and no bias (R7), or they are on the grid of a power of two, and within its reach (R5). *)
Inductive exact_sum (A : arithmetic) (b : R) (vs : list R) : Prop :=
| Selection : b = 0 -> (length vs <= 1)%nat -> Forall (value A) vs -> exact_sum A b vs
| Grid e : value A (pow2 e) -> Forall (on_grid e) (b :: vs) ->
    total (map positive_part (b :: vs)) <= pow2 (precision A) * pow2 e ->
    total (map (fun v => positive_part (- v)) (b :: vs)) <= pow2 (precision A) * pow2 e ->
    exact_sum A b vs.

(** What a network gives for sure at an input: there are paths, and every path gives [f] in each output. *)
Definition always_gives (A B : arithmetic) (n : network) (x f : nat -> R) : Prop :=
  (exists y, computes A B n x y) /\
  forall y, computes A B n x y -> forall o, (o < length (last n))%nat -> y o = f o.

(** ** Some path gives something *)

Lemma gives_total : forall A B act cells x, exists y, gives A B act cells x y.
Proof.
  intros A B act cells x. induction cells as [| c cells [y IH]].
  - exists (fun _ => 0). intros [| i] c H; discriminate H.
  - destruct (neuron_total A B (bias c) (terms x c)) as [r N].
    exists (fun i => match i with 0%nat => activate act r | S i => y i end). intros [| i] c' H.
    + injection H as <-. now exists r.
    + exact (IH i c' H).
Qed.

Lemma computes_total : forall A B n x, exists y, computes A B n x y.
Proof.
  intros A B n x. destruct (gives_total A B (hidden n) (first n) x) as [u U].
  destruct (gives_total A B (hidden n) (second n) u) as [h H].
  destruct (gives_total A B Identity (last n) h) as [y Y]. now exists y, u, h.
Qed.

(** ** The second layer *)

Lemma recognised_box_activation : forall A act units scale c,
  recognised_box A act units scale c -> forall r, 0 <= activate act r.
Proof.
  intros A [] units scale c box r; simpl in *; [destruct (Rle_dec 0 r); lra | apply Rmax_r | easy].
Qed.

(** Every box is 1 around the input, and 0 elsewhere. *)
Theorem second_layer : forall A B D n units scale x u h, within A B ->
  recognised A D n units scale -> D x ->
  gives A B (hidden n) (first n) x u -> gives A B (hidden n) (second n) u h ->
  forall b, (b < length (second n))%nat -> h b = if around n units x b then 1 else 0.
Proof.
  intros A B D n units scale x u h AB [V U X Ru _] Dx Gu Gh b L.
  assert (E : nth_error (second n) b = Some (box_at n b)) by now apply nth_error_nth'.
  destruct (Gh b _ E) as (r & N & ->).
  apply (box_indicator A B (hidden n) units scale (box_at n b) x u r AB (X b _ E)); trivial.
  - intros i w I. destruct (nth_error (first n) i) as [c |] eqn:Ei.
    + destruct (Gu i c Ei) as (s & Ns & ->). apply (unit_tells A B D (hidden n) c); auto. now apply V.
    + apply nth_error_None in Ei. pose proof (Ru b _ i w E I). lia.
  - intros i w I. destruct (nth_error (first n) i) as [c |] eqn:Ei.
    + destruct (Gu i c Ei) as (s & _ & ->). now apply (recognised_box_activation A _ units scale _ (X b _ E)).
    + apply nth_error_None in Ei. pose proof (Ru b _ i w E I). lia.
Qed.

(** ** The last layer *)

Lemma total_cons : forall (f : R -> R) v vs, total (map f (v :: vs)) = f v + total (map f vs).
Proof. easy. Qed.

Section LastLayer.

Variables (k : nat -> bool) (h : nat -> R) (c : cell).
Hypothesis indicators : forall b w, In (b, w) (weights c) -> h b = if k b then 1 else 0.

Let chosen := map snd (filter (fun t => k (fst t)) (weights c)).

(** What is zero for a zero, has the same total over the products and over the labels. *)
Lemma total_chosen : forall f : R -> R, f 0 = 0 ->
  total (map f (products (terms h c))) = total (map f chosen).
Proof.
  intros f Z. unfold chosen, terms, products. revert indicators.
  induction (weights c) as [| [b w] l IH]; intros H; [easy |].
  assert (IH' := IH (fun b w I => H b w (or_intror I))). cbn [map filter fst snd].
  rewrite (H b w (or_introl eq_refl)). destruct (k b); cbn [map total fold_right snd].
  - rewrite Rmult_1_r. now f_equal.
  - rewrite Rmult_0_r, Z, Rplus_0_l. exact IH'.
Qed.

(** What takes part in the sum are the labels that are not zero, in their order. *)
Lemma nonzero_chosen : filter is_nonzero (products (terms h c)) = filter is_nonzero chosen.
Proof.
  unfold chosen, terms, products. revert indicators.
  induction (weights c) as [| [b w] l IH]; intros H; [easy |].
  assert (IH' := IH (fun b w I => H b w (or_intror I))). cbn [map filter fst snd].
  rewrite (H b w (or_introl eq_refl)). destruct (k b); cbn [map filter snd].
  - now rewrite Rmult_1_r, IH'.
  - rewrite Rmult_0_r. unfold is_nonzero at 1. now destruct (Req_EM_T 0 0).
Qed.

Lemma products_chosen : total (products (terms h c)) = total chosen.
Proof. pose proof (total_chosen (fun v => v) eq_refl) as H. now rewrite !map_id in H. Qed.

(** Each product is a label that is chosen, or zero. *)
Lemma product_chosen : forall v, In v (products (terms h c)) -> v = 0 \/ In v chosen.
Proof.
  intros v I. unfold products, terms in I. rewrite map_map in I. apply in_map_iff in I.
  destruct I as ([b w] & E & I). cbn [fst snd] in E. rewrite (indicators b w I) in E. subst v.
  destruct (k b) eqn:K; [right | left; ring]. rewrite Rmult_1_r.
  apply (in_map snd _ (b, w)), filter_In. now split.
Qed.

(** One label: what is selected stands between zeros. *)
Lemma one_chosen : forall v, chosen = [v] -> selects (terms h c) v.
Proof.
  unfold chosen, terms. revert indicators.
  induction (weights c) as [| [b w] l IH]; intros H v E; [discriminate E |].
  assert (IH' := IH (fun b w I => H b w (or_intror I))). pose proof (H b w (or_introl eq_refl)) as Hb.
  cbn [filter fst map] in *. destruct (k b); cbn [map snd] in E.
  - injection E as -> E. exists [], v, (h b), (map (fun '(j, w) => (w, h j)) l). repeat split.
    + rewrite Hb. ring.
    + intros w' x' I. apply in_map_iff in I. destruct I as ([b' v'] & I & J). injection I as -> <-.
      rewrite (H b' w' (or_intror J)). destruct (k b') eqn:K; [| ring].
      exfalso. apply (in_nil (a := w')). apply map_eq_nil in E. apply (in_nil (a := (b', w'))).
      rewrite <- E. now apply filter_In.
  - destruct (IH' v E) as (f & w' & x' & g & -> & P & Z). exists ((w, h b) :: f), w', x', g.
    repeat split; trivial.
    intros w'' x'' [I | I]; [injection I as <- <-; rewrite Hb; ring | now apply Z].
Qed.

Lemma last_layer : forall A B r, within A B -> exact_sum A (bias c) chosen ->
  neuron A B (bias c) (terms h c) r -> r = bias c + total chosen.
Proof.
  intros A B r AB [Z L V | e E G P N] S.
  - rewrite Z in *. destruct chosen as [| v [|]] eqn:C; [| | simpl in L; lia].
    + apply neuron_zero in S; trivial; [simpl; lra |]. intros w x I.
      destruct (product_chosen (w * x)) as [-> | J]; trivial.
      * apply (in_map (fun t => fst t * snd t) _ (w, x) I).
      * rewrite C in J. destruct J.
    + rewrite (neuron_selection A B _ r v AB (Forall_inv V) (one_chosen v C) S). simpl. lra.
  - rewrite <- products_chosen. apply (neuron_exact A B _ _ _ e) in S; trivial.
    + now apply Forall_inv in G.
    + intros w x I. destruct (product_chosen (w * x)) as [-> | J].
      * apply (in_map (fun t => fst t * snd t) _ (w, x) I).
      * exists 0%Z. simpl. ring.
      * rewrite Forall_forall in G. apply G. now right.
    + change (total (map positive_part (bias c :: products (terms h c))) <= pow2 (precision A) * pow2 e).
      rewrite total_cons in *. rewrite total_chosen; trivial. unfold positive_part. apply Rmax_left. lra.
    + change (total (map (fun v => positive_part (- v)) (bias c :: products (terms h c)))
        <= pow2 (precision A) * pow2 e).
      rewrite total_cons in *. rewrite (total_chosen (fun v => positive_part (- v))); trivial.
      unfold positive_part. rewrite Ropp_0. apply Rmax_left. lra.
Qed.

(** In general the sum is off by a bound of [SumsError]. *)
Lemma last_layer_error : forall A B e m r, within A B -> value A (pow2 e) -> keeps_grid B e ->
  Forall (term A e) (bias c :: chosen) -> (nonzeros (bias c :: chosen) <= m)%nat ->
  neuron A B (bias c) (terms h c) r ->
  Rabs (r - (bias c + total chosen)) <= error (pow2 (1 - precision A)) m (magnitude (bias c :: chosen)).
Proof.
  intros A B e m r AB V K T M S. rewrite <- products_chosen.
  replace (magnitude (bias c :: chosen)) with (magnitude (bias c :: products (terms h c))).
  - apply (neuron_error A B e); trivial.
    + constructor; [now apply Forall_inv in T |]. apply Forall_forall. intros v I.
      destruct (product_chosen v I) as [-> | J].
      * split; [apply value_0 | exists 0%Z; simpl; ring].
      * rewrite Forall_forall in T. apply T. now right.
    + unfold nonzeros in *. cbn [filter] in *. rewrite nonzero_chosen. trivial.
  - unfold magnitude. rewrite !total_cons. now rewrite total_chosen by apply Rabs_R0.
Qed.

End LastLayer.

(** ** The theorem *)

(** On every path, a recognised network gives the bias and the labels of the boxes around the input. *)
Theorem box_network : forall A B D n units scale x f, within A B ->
  recognised A D n units scale -> D x ->
  (forall o c, nth_error (last n) o = Some c ->
    exact_sum A (bias c) (labels n units x c) /\ bias c + total (labels n units x c) = f o) ->
  always_gives A B n x f.
Proof.
  intros A B D n units scale x f AB R Dx S. split; [apply computes_total |].
  intros y (u & h & U & H & Y) o L. destruct (nth_error (last n) o) as [c |] eqn:E.
  - destruct (Y o c E) as (r & N & ->). destruct (S o c E) as (X & <-). simpl.
    apply (last_layer (around n units x) h c) with A B; trivial.
    intros b w I. apply (second_layer A B D n units scale x u h); trivial.
    now apply (last_reads _ _ _ _ _ R o c b w).
  - apply nth_error_None in E. lia.
Qed.

(** Where the sum is not exact, every path is within the bound of [SumsError]: [error (2^(1-p)) m M] is
    [((1 + 2^(1-p))^m - 1) M], where [m] terms of magnitude [M] in all take part. *)
Theorem box_network_error : forall A B D n units scale x o c e m, within A B ->
  recognised A D n units scale -> D x -> nth_error (last n) o = Some c ->
  value A (pow2 e) -> keeps_grid B e -> Forall (term A e) (bias c :: labels n units x c) ->
  (nonzeros (bias c :: labels n units x c) <= m)%nat ->
  forall y, computes A B n x y ->
  Rabs (y o - (bias c + total (labels n units x c)))
    <= error (pow2 (1 - precision A)) m (magnitude (bias c :: labels n units x c)).
Proof.
  intros A B D n units scale x o c e m AB R Dx E V K T M y (u & h & U & H & Y).
  destruct (Y o c E) as (r & N & ->). simpl.
  apply (last_layer_error (around n units x) h c) with B e; trivial.
  intros b w I. apply (second_layer A B D n units scale x u h); trivial.
  now apply (last_reads _ _ _ _ _ R o c b w).
Qed.
