//! Operands gathered where roundings are hard: at the ends of a format, at ties, where sums cancel.

use roundproof_format::{Class, Encoding, Format, RoundingMode};
use roundproof_softfloat::{Arithmetic, from_order_key, negate, order_key};

/// An endless sequence of operands, the same for the same seed.
pub struct Cases {
    format: Format,
    arithmetic: Arithmetic,
    state: u64,
}

impl Cases {
    pub fn new(format: Format, seed: u64) -> Cases {
        let arithmetic = Arithmetic::new(format, format.default_overflow()).expect("the default");
        Cases { format, arithmetic, state: seed.wrapping_mul(0xd134_2543_de82_ef95) }
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    fn distance(&mut self) -> i64 {
        self.below(9) as i64 - 4
    }

    /// A trailing significand: random, or with few bits set, or few clear.
    fn trailing(&mut self) -> u128 {
        let bits = self.format.trailing_bits();
        let ones = (1u128 << bits) - 1;
        let k = self.below(u64::from(bits) + 1);
        let trailing = match self.below(8) {
            0..=2 => self.wide(),
            3 => ones << k,
            4 => ones >> k,
            5 => 1 << k,
            6 => 1 << k | self.wide() & 3,
            _ => 0,
        };
        trailing & ones
    }

    /// An encoding with about this exponent field, in range.
    fn with_field(&mut self, field: i64) -> Encoding {
        let (format, trailing) = (self.format, self.trailing());
        let (least, most) = self.fields();
        let negative = self.next() & 1 == 1;
        let sign = u128::from(negative) << (format.width() - 1);
        let encoding =
            Encoding::from_bits(sign | (field.clamp(least, most) as u128) << format.trailing_bits() | trailing);
        match format.class(encoding) {
            // Past the largest value in a field that is not filled, or the field of zero in F(p).
            Class::Invalid => format.largest(negative).unwrap_or(format.zero()),
            _ => encoding,
        }
    }

    /// The exponent fields: those of special values included, and in `F(p)` those that MPFR does not reach left out.
    fn fields(&self) -> (i64, i64) {
        match (self.format.emin(), self.format.emax()) {
            (Some(emin), Some(emax)) => {
                (0, i64::from(emax) - i64::from(emin) + 1 + i64::from(self.format.has_infinity()))
            }
            _ => (self.format.bias() - 300, self.format.bias() + 300),
        }
    }

    /// One operand.
    pub fn single(&mut self) -> Encoding {
        let (least, most) = self.fields();
        let reach = 2 * i64::from(self.format.precision()) + 4;
        let field = match self.below(8) {
            0..=2 => least + self.below((most - least + 1) as u64) as i64,
            3..=5 => self.format.bias() + self.below(reach as u64) as i64 - reach / 2,
            6 => least + self.below(4) as i64,
            _ => most - self.below(3) as i64,
        };
        self.with_field(field)
    }

    /// One operand whose value is often at an end of another format, or needs its last bit.
    pub fn near(&mut self, other: Format) -> Encoding {
        let (Some(emin), Some(emax)) = (other.emin(), other.emax()) else { return self.single() };
        let exponent = match self.below(4) {
            0 => i64::from(emin) - self.below(u64::from(other.precision()) + 3) as i64,
            1 => i64::from(emax) + self.below(3) as i64 - 1,
            2 => i64::from(emin) + self.distance(),
            _ => return self.single(),
        };
        let encoding = self.with_field(exponent + self.format.bias());
        let surplus = self.format.precision().saturating_sub(other.precision());
        if surplus == 0 || !self.format.is_finite(encoding) {
            return encoding;
        }
        // What the other format has no room for: a tie, or next to one.
        let tie = 1u128 << (surplus - 1);
        let rest = [0, tie, tie + 1, tie - 1, 1, (tie << 1) - 1][self.below(6) as usize];
        Encoding::from_bits(encoding.bits() >> surplus << surplus | rest & ((tie << 1) - 1))
    }

    fn nearby(&mut self, encoding: Encoding) -> Encoding {
        let (format, distance) = (self.format, self.distance());
        let key = order_key(format, encoding).map(|key| key + i128::from(distance));
        key.and_then(|key| from_order_key(format, key)).filter(|_| format.is_bounded()).unwrap_or(encoding)
    }

    /// Three operands.
    pub fn triple(&mut self) -> [Encoding; 3] {
        let (format, [a, b, c]) = (self.format, [self.single(), self.single(), self.single()]);
        let field =
            |encoding: Encoding| { (encoding.bits() & ((1 << (format.width() - 1)) - 1)) >> format.trailing_bits() }
                as i64;
        match self.below(8) {
            // The sum of a and b cancels, all or nearly.
            0 => [a, self.nearby(negate(format, a)), c],
            // Exponents so near that a sum is rounded at its last bits.
            1 => {
                let reach = i64::from(format.precision()) + 2;
                let shift = self.below(2 * reach as u64 + 1) as i64 - reach;
                [a, self.with_field(field(a) + shift), c]
            }
            // The sum of a * b and c cancels.
            2 | 3 => {
                let product = self.arithmetic.multiply(RoundingMode::TowardZero, a, b).encoding;
                [a, b, self.nearby(negate(format, product))]
            }
            // The product of a and b is near the least or the largest value.
            relation @ (4 | 5) => {
                let end = match (relation, format.emin(), format.emax()) {
                    (4, Some(emin), _) => i64::from(emin) - self.below(u64::from(format.precision()) + 3) as i64,
                    (_, _, Some(emax)) => i64::from(emax),
                    _ => 0,
                };
                let wanted = end + 2 * format.bias() - field(a) + self.distance() / 2;
                let b = self.with_field(wanted);
                [a, b, if self.next() & 1 == 1 { self.nearby(format.zero()) } else { c }]
            }
            _ => [a, b, c],
        }
    }
}
