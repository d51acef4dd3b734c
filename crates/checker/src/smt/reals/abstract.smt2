; Any format: F(x), x is a finite value; R(t, r), the real t may be rounded to r; Pow(g), g is a power of two;
; Mult(x, g), x is an integer multiple of g; max, the largest finite value; P, 2^p.
(declare-fun F (Real) Bool)
(declare-fun R (Real Datum) Bool)
(declare-fun Pow (Real) Bool)
(declare-fun Mult (Real Real) Bool)
(declare-const max Real)
(declare-const P Real)
