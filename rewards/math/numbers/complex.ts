/** re + im · i, in double precision. */
export interface Complex {
  re: number;
  im: number;
}

export const real = (re: number): Complex => ({ re, im: 0 });
export const add = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im });
export const subtract = (a: Complex, b: Complex): Complex => ({ re: a.re - b.re, im: a.im - b.im });
export const negate = (a: Complex): Complex => ({ re: -a.re, im: -a.im });
export const magnitude = (a: Complex): number => Math.hypot(a.re, a.im);
export const hasValue = (a: Complex): boolean => Number.isFinite(a.re) && Number.isFinite(a.im);

export function multiply(a: Complex, b: Complex): Complex {
  // Real factors separately: infinity times a real must not be NaN.
  if (a.im === 0 && b.im === 0) return real(a.re * b.re);
  return { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
}

export function divide(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) return real(a.re / b.re);
  const size = b.re * b.re + b.im * b.im;
  return { re: (a.re * b.re + a.im * b.im) / size, im: (a.im * b.re - a.re * b.im) / size };
}

export function exp(a: Complex): Complex {
  if (a.im === 0) return real(Math.exp(a.re));
  const size = Math.exp(a.re);
  return { re: size * Math.cos(a.im), im: size * Math.sin(a.im) };
}

/** The principal branch. */
export function log(a: Complex): Complex {
  if (a.im === 0 && a.re > 0) return real(Math.log(a.re));
  return { re: Math.log(magnitude(a)), im: Math.atan2(a.im, a.re) };
}

export function power(base: Complex, exponent: Complex): Complex {
  if (base.im === 0 && exponent.im === 0 && (base.re >= 0 || Number.isInteger(exponent.re))) {
    return real(base.re ** exponent.re);
  }
  if (magnitude(base) === 0) return real(0);
  return exp(multiply(exponent, log(base)));
}

export function sin({ re, im }: Complex): Complex {
  return im === 0
    ? real(Math.sin(re))
    : { re: Math.sin(re) * Math.cosh(im), im: Math.cos(re) * Math.sinh(im) };
}

export function cos({ re, im }: Complex): Complex {
  return im === 0
    ? real(Math.cos(re))
    : { re: Math.cos(re) * Math.cosh(im), im: -Math.sin(re) * Math.sinh(im) };
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** Γ(x) by Lanczos's approximation, g = 7, n = 9 (Numerical Recipes, 6.1). */
export function gamma(x: number): number {
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x));
  const series = LANCZOS.reduce((sum, c, i) => sum + c / (x + i), 0.9999999999998099);
  const t = x + 6.5;
  return Math.sqrt(2 * Math.PI) * t ** (x - 0.5) * Math.exp(-t) * series;
}
