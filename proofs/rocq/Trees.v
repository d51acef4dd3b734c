(** * Summation trees, and every path through them

    A neuron adds up its bias and its products. In which order it does, which products are contracted into the addition
    above them, and what each rounding gives is not known: a path is a derivation of [evaluates]. *)

From Coq Require Import List Permutation Reals.
From Flocq Require Import Core.
From Roundproof Require Import Arithmetic.

Import ListNotations.
Open Scope R_scope.

(** What a sum is made of: a number that is there, or a product that is still to be rounded. *)
Inductive leaf :=
| Number (v : R)
| Product (w x : R).

(** Leaves in any arrangement. *)
Inductive tree :=
| Leaf (l : leaf)
| Add (a b : tree).

Fixpoint leaves (t : tree) : list leaf :=
  match t with
  | Leaf l => [l]
  | Add a b => leaves a ++ leaves b
  end.

(** [evaluates A t r]: some path through [t] gives [r]. A product that is a leaf of an addition is rounded by itself or
    contracted into it; of two such products at most one is contracted. *)
Inductive evaluates (A : arithmetic) : tree -> R -> Prop :=
| evaluates_number v : evaluates A (Leaf (Number v)) v
| evaluates_product w x r : rounds A (w * x) r -> evaluates A (Leaf (Product w x)) r
| evaluates_add a b x y r :
    evaluates A a x -> evaluates A b y -> rounds A (x + y) r -> evaluates A (Add a b) r
| evaluates_contracted_left w x b y r :
    evaluates A b y -> rounds A (w * x + y) r -> evaluates A (Add (Leaf (Product w x)) b) r
| evaluates_contracted_right a y w x r :
    evaluates A a y -> rounds A (y + w * x) r -> evaluates A (Add a (Leaf (Product w x))) r.

(** The leaves of a neuron: its bias, and a product for each weight and what it is multiplied with. *)
Definition leaves_of (bias : R) (terms : list (R * R)) : list leaf :=
  Number bias :: map (fun '(w, x) => Product w x) terms.

(** [sums A bias terms r]: some order of the terms and some path through it give [r]. *)
Definition sums (A : arithmetic) (bias : R) (terms : list (R * R)) (r : R) : Prop :=
  exists t, Permutation (leaves t) (leaves_of bias terms) /\ evaluates A t r.

(** The values of one arithmetic are values of another one, as those of a format are of its accumulator. *)
Definition within (A B : arithmetic) : Prop := forall v, value A v -> value B v.

(** [neuron A B bias terms r]: sums are formed in the accumulator [B], and rounded once more to [A]. *)
Definition neuron (A B : arithmetic) (bias : R) (terms : list (R * R)) (r : R) : Prop :=
  exists s, sums B bias terms s /\ rounds A s r.
