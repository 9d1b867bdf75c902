/** Numbers as a person reads them. A figure that is not there is a dash. */

const NONE = '–';

export function percent(share: number | null, digits = 1): string {
  return share === null ? NONE : `${(100 * share).toFixed(digits)} %`;
}

/** `12.3–15.6 %` */
export function percentInterval(interval: readonly [number, number] | null): string {
  if (interval === null) return NONE;
  const [low, high] = interval;
  return `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`;
}

export function decimal(value: number | null, digits = 3): string {
  return value === null ? NONE : value.toFixed(digits);
}

/** `9.8k`, `412`, `170G` */
export function count(value: number): string {
  return scaled(value, ['', 'k', 'M', 'G', 'T']);
}

/** At most three digits, and the unit of its thousands. */
function scaled(value: number, units: readonly string[]): string {
  let [rest, unit] = [value, 0];
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1_000;
    unit += 1;
  }
  return `${rest.toFixed(unit > 0 && rest < 9.95 ? 1 : 0)}${units[unit]}`;
}

/** `40 s`, `4 min`, `2 h 5 min` */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A time that was taken, to be compared with others: `0:07`, `1:36`, `2:05:10`. */
export function clock(seconds: number | null): string {
  if (seconds === null) return NONE;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  const parts = hours === 0 ? [minutes, whole % 60] : [hours, minutes, whole % 60];
  return parts.map((part, n) => (n === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** `2024-05-01 12:30:05`, in local time. */
export function moment(iso: string | null): string {
  if (iso === null) return NONE;
  const date = new Date(iso);
  const local = new Date(date.getTime() - 60_000 * date.getTimezoneOffset());
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

/** The first digits of a digest, enough to tell two apart at a glance. */
export function short(digest: string | null): string {
  return digest === null ? NONE : digest.slice(0, 12);
}

/** Bytes as `12.3 MB`. */
export function size(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  const found = units.findIndex((_, index) => bytes < 1e6 * 1_000 ** index);
  const index = found === -1 ? units.length - 1 : found;
  return `${(bytes / 1_000 ** (index + 1)).toFixed(1)} ${units[index]}`;
}
