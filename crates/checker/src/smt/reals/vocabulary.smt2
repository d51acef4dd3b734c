(define-fun le ((a Datum) (b Datum)) Bool (and (not ((_ is nan) a)) (not ((_ is nan) b))
 (or ((_ is minus-infinity) a) ((_ is infinity) b) (and ((_ is finite) a) ((_ is finite) b) (<= (value a) (value b))))))
(define-fun magnitude ((x Real)) Real (ite (<= 0.0 x) x (- x)))
; The axioms, of their arguments. A lemma asserts the instances that it uses, and no others.
(define-fun R1 ((f Real) (t Real) (r Datum)) Bool
 (=> (and (F f) (R t r)) (and (=> (<= f t) (le (finite f) r)) (=> (<= t f) (le r (finite f))))))
; pa is the next value below a.
(define-fun R3 ((a Real) (pa Real) (x Real) (r Datum)) Bool
 (=> (and (F a) (F pa) (F x) (< pa a) (<= x pa) (R (- a x) r)) (le (finite (- a pa)) r)))
(define-fun R4 ((k Real) (x Real)) Bool (=> (and (Pow k) (<= 1.0 k) (F x) (<= (magnitude (* k x)) max)) (F (* k x))))
(define-fun G0 () Bool (and (F 0.0) (F 1.0) (F (- 1.0))))
(define-fun G ((x Real) (g Real)) Bool
 (=> (and (Mult x g) (Pow g) (F g) (<= (magnitude x) (* P g)) (<= (magnitude x) max)) (F x)))
; Integer multiples are closed under sums and differences.
(define-fun M ((x Real) (y Real) (g Real)) Bool (=> (and (Mult x g) (Mult y g)) (and (Mult (+ x y) g) (Mult (- x y) g))))
; Operations: r is an allowed result. Addition; k * x + b with one rounding, and k * x, for a positive real k.
(define-fun add ((a Datum) (b Datum) (r Datum)) Bool
 (ite (or ((_ is nan) a) ((_ is nan) b)) (= r nan)
 (ite (and ((_ is finite) a) ((_ is finite) b)) (R (+ (value a) (value b)) r)
 (ite ((_ is finite) a) (= r b) (ite (or ((_ is finite) b) (= a b)) (= r a) (= r nan))))))
(define-fun multiply-add ((k Real) (x Datum) (b Datum) (r Datum)) Bool
 (ite (or ((_ is nan) x) ((_ is nan) b)) (= r nan)
 (ite (and ((_ is finite) x) ((_ is finite) b)) (R (+ (* k (value x)) (value b)) r)
 (ite ((_ is finite) x) (= r b) (ite (or ((_ is finite) b) (= x b)) (= r x) (= r nan))))))
(define-fun multiply ((k Real) (x Datum) (r Datum)) Bool (ite ((_ is finite) x) (R (* k (value x)) r) (= r x)))
(define-fun neg ((x Datum)) Datum (ite ((_ is finite) x) (finite (- (value x)))
 (ite ((_ is infinity) x) minus-infinity (ite ((_ is minus-infinity) x) infinity nan))))
(define-fun relu ((x Datum)) Datum (ite ((_ is nan) x) nan (ite (le (finite 0.0) x) x (finite 0.0))))
(define-fun step ((x Datum)) Real (ite (le (finite 0.0) x) 1.0 0.0))
