/** The arithmetic mean; NaN for no values. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** The sample standard deviation, √(Σ(x − x̄)² / (n − 1)); 0 for fewer than two values. */
export function sampleDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1));
}

/** Added from left to right: the order of the values decides the bits. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
