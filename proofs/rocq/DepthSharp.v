(** * How high a peak two layers can build

    Over a power of two, a peak of [2^(p + 1)] times as much: four units of Step, in every arithmetic. So the bound of
    [no_peak_in_two_layers] cannot be lowered. *)

From Coq Require Import ZArith List Reals Lra Lia.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic Rounding Trees Sums Network Formats Units BoxNetwork Theorems DepthSums Depth.

Import ListNotations.
Open Scope R_scope.

(** Two units fire from 0 and from 1 on, two down from 0 and from -1; the outer one of each pair takes back all of the
    inner one but [2^k]. *)
Definition peak_network (p k : Z) : shallow :=
  let unit b w := {| bias := b; weights := [(0%nat, w)] |} in
  let gain := IZR (2 ^ p) * pow2 k in
  {| shallow_hidden := Step;
     shallow_first := [unit 0 1; unit (-1) 1; unit 0 (-1); unit (-1) (-1)];
     shallow_last := [{| bias := 0;
       weights := [(0%nat, gain); (1%nat, pow2 k - gain); (2%nat, gain); (3%nat, pow2 k - gain)] |}] |}.

Lemma positive_part_of_positive : forall v, 0 <= v -> positive_part v = v.
Proof. intros v H. now apply Rmax_left. Qed.

Lemma positive_part_of_negative : forall v, v <= 0 -> positive_part v = 0.
Proof. intros v H. now apply Rmax_right. Qed.

Ltac by_sign :=
  repeat match goal with
  | |- context [positive_part ?v] =>
    first [rewrite (positive_part_of_positive v) by nra | rewrite (positive_part_of_negative v) by nra]
  end.

Section Sharp.

Variables A B : arithmetic.
Hypothesis AB : within A B.
Let p := precision A.

Lemma two_bits : 2 <= IZR (2 ^ p).
Proof.
  apply IZR_le. pose proof (precision_positive A). change 2%Z with (2 ^ 1)%Z at 1.
  apply Z.pow_le_mono_r; unfold p; lia.
Qed.

Lemma reach : pow2 p = IZR (2 ^ p).
Proof. pose proof (precision_positive A). symmetry. apply (IZR_Zpower radix2). unfold p; lia. Qed.

(** What a unit sums up. *)
Lemma small_sum : forall b m r, (b = 0 \/ b = -1)%Z -> (-1 <= m <= 1)%Z ->
  forall w x, w * x = IZR m -> neuron A B (IZR b) [(w, x)] r -> r = IZR (b + m).
Proof.
  intros b m r Hb Hm w x E H. pose proof two_bits. pose proof reach as P.
  apply (neuron_parts A B _ _ r AB) in H.
  - unfold products in H. simpl in H. rewrite E in H. rewrite plus_IZR. lra.
  - unfold products. simpl. rewrite E. apply (parts_on_grid A 0).
    + apply value_1.
    + constructor; [exists b; simpl; ring |]. constructor; [exists m; simpl; ring | constructor].
    + assert (m = -1 \/ m = 0 \/ m = 1)%Z as [-> | [-> | ->]] by lia; destruct Hb as [-> | ->];
        simpl; fold p; rewrite P; by_sign; lra.
    + assert (m = -1 \/ m = 0 \/ m = 1)%Z as [-> | [-> | ->]] by lia; destruct Hb as [-> | ->];
        simpl; fold p; rewrite P; by_sign; lra.
Qed.

(** Whether each unit fires. *)
Lemma units_fire : forall k m x h, (-1 <= m <= 1)%Z -> x 0%nat = IZR m ->
  gives A B Step (shallow_first (peak_network p k)) x h ->
  h 0%nat = (if (0 <=? m)%Z then 1 else 0) /\ h 1%nat = (if (1 <=? m)%Z then 1 else 0) /\
  h 2%nat = (if (m <=? 0)%Z then 1 else 0) /\ h 3%nat = (if (m <=? -1)%Z then 1 else 0).
Proof.
  intros k m x h Hm E G.
  assert (Fires : forall i b n w, nth_error (shallow_first (peak_network p k)) i =
      Some {| bias := IZR b; weights := [(0%nat, w)] |} -> (b = 0 \/ b = -1)%Z -> (-1 <= n <= 1)%Z ->
      w * IZR m = IZR n -> h i = if (0 <=? b + n)%Z then 1 else 0).
  { intros i b n w I Hb Hn W. destruct (G i _ I) as (r & R & ->). simpl in R.
    apply (small_sum b n r Hb Hn) in R; [| now rewrite E]. subst r. unfold activate.
    destruct (Z.leb_spec 0 (b + n)) as [L | L]; [apply IZR_le in L | apply IZR_lt in L];
      destruct (Rle_dec 0 (IZR (b + n))); lra. }
  repeat split.
  - rewrite (Fires 0%nat 0%Z m 1); trivial; [auto | ring].
  - rewrite (Fires 1%nat (-1)%Z m 1); trivial; [| auto | ring].
    destruct (Z.leb_spec 0 (-1 + m)), (Z.leb_spec 1 m); trivial; lia.
  - rewrite (Fires 2%nat 0%Z (- m)%Z (-1)); trivial; [| auto | lia | rewrite opp_IZR; ring].
    destruct (Z.leb_spec 0 (0 + - m)), (Z.leb_spec m 0); trivial; lia.
  - rewrite (Fires 3%nat (-1)%Z (- m)%Z (-1)); trivial; [| auto | lia | rewrite opp_IZR; ring].
    destruct (Z.leb_spec 0 (-1 + - m)), (Z.leb_spec m (-1)); trivial; lia.
Qed.

(** The four products, on a grid [2^e]: what comes out if the sum stays within its reach. *)
Lemma output_sum : forall k e a b c d y, value A (pow2 k) -> value A (pow2 e) ->
  let gain := IZR (2 ^ p) * pow2 k in
  let vs := [0; gain * a; (pow2 k - gain) * b; gain * c; (pow2 k - gain) * d] in
  Forall (on_grid e) vs ->
  total (map positive_part vs) <= IZR (2 ^ p) * pow2 e ->
  total (map (fun v => positive_part (- v)) vs) <= IZR (2 ^ p) * pow2 e ->
  neuron A B 0 [(gain, a); (pow2 k - gain, b); (gain, c); (pow2 k - gain, d)] y -> y = total vs.
Proof.
  intros k e a b c d y Vk Ve gain vs G P N H.
  apply (neuron_parts A B _ _ y AB) in H; [exact H |].
  change (0 :: products _) with vs. apply (parts_on_grid A e); trivial; fold p; now rewrite reach.
Qed.

(** The network gives [2^k] at -1 and at 1, and [2^(p + 1 + k)] at 0, on every path. *)
Theorem two_layers_sharp : forall k x, value A (pow2 k) ->
  (x 0%nat = -1 \/ x 0%nat = 1 -> shallow_always_gives A B (peak_network p k) x 0 (pow2 k)) /\
  (x 0%nat = 0 -> shallow_always_gives A B (peak_network p k) x 0 (pow2 (p + 1 + k))).
Proof.
  intros k x Vk. pose proof (bpow_gt_0 radix2 k) as K. pose proof two_bits as T.
  assert (G : 0 < IZR (2 ^ p) * pow2 k) by nra.
  assert (G2 : 2 * (IZR (2 ^ p) * pow2 k) <= IZR (2 ^ p) * (IZR (2 ^ p) * pow2 k)) by nra.
  assert (Vg : value A (pow2 (p + k))).
  { rewrite bpow_plus, reach. apply value_grid; [exact Vk |]. unfold p.
    rewrite Z.abs_eq; [lia | apply Z.pow_nonneg; lia]. }
  assert (One : forall m, (-1 <= m <= 1)%Z -> x 0%nat = IZR m -> shallow_always_gives A B (peak_network p k) x 0
      (if (m =? 0)%Z then 2 * (IZR (2 ^ p) * pow2 k) else pow2 k)).
  { intros m Hm E y (h & H & Y). destruct (units_fire k m x h Hm E H) as (H0 & H1 & H2 & H3).
    destruct (Y 0%nat _ eq_refl) as (r & R & ->). simpl in R. simpl activate.
    unfold terms in R. cbn [weights map] in R. rewrite H0, H1, H2, H3 in R. clear H0 H1 H2 H3 H Y.
    assert (m = -1 \/ m = 0 \/ m = 1)%Z as [-> | [-> | ->]] by lia; simpl in R |- *.
    - apply (output_sum k k) in R; trivial.
      + rewrite R. simpl. ring.
      + repeat constructor.
        * exists 0%Z. ring.
        * exists 0%Z. ring.
        * exists 0%Z. ring.
        * exists (2 ^ p)%Z. ring.
        * exists (1 - 2 ^ p)%Z. rewrite minus_IZR. ring.
      + simpl. by_sign. nra.
      + simpl. by_sign. nra.
    - apply (output_sum k (p + k)) in R; trivial.
      + rewrite R. simpl. ring.
      + repeat constructor.
        * exists 0%Z. ring.
        * exists 1%Z. rewrite bpow_plus, reach. ring.
        * exists 0%Z. ring.
        * exists 1%Z. rewrite bpow_plus, reach. ring.
        * exists 0%Z. ring.
      + rewrite bpow_plus, reach. simpl. by_sign. lra.
      + rewrite bpow_plus, reach. simpl. by_sign. lra.
    - apply (output_sum k k) in R; trivial.
      + rewrite R. simpl. ring.
      + repeat constructor.
        * exists 0%Z. ring.
        * exists (2 ^ p)%Z. ring.
        * exists (1 - 2 ^ p)%Z. rewrite minus_IZR. ring.
        * exists 0%Z. ring.
        * exists 0%Z. ring.
      + simpl. by_sign. nra.
      + simpl. by_sign. nra. }
  split.
  - intros [E | E]; [apply (One (-1)%Z) | apply (One 1%Z)]; trivial; lia.
  - intros E. replace (pow2 (p + 1 + k)) with (2 * (IZR (2 ^ p) * pow2 k)); [now apply (One 0%Z) |].
    rewrite !bpow_plus, reach. simpl (pow2 1). change (IZR (Z.pow_pos 2 1)) with 2. ring.
Qed.

(** Nothing is wrong with it but its height. *)
Lemma peak_network_well_formed : forall k, well_formed B (peak_network p k) 0.
Proof.
  intros k. split; [now left | split].
  - repeat constructor; simpl; tauto.
  - eexists. split; [reflexivity | apply value_0].
Qed.

End Sharp.
