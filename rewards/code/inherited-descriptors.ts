import { openSync, readdirSync, readFileSync } from 'node:fs';

const O_CLOEXEC = 0o2000000;

/**
 * Replaces file descriptors that this process inherited by /dev/null: the sandbox would inherit them too. Node itself
 * opens only descriptors that are not inherited.
 */
export function withoutInherited(own: readonly 'pipe'[]): ('pipe' | 'ignore' | number)[] {
  const inherited = inheritableDescriptors().filter((fd) => fd >= own.length);
  const length = Math.max(own.length, ...inherited.map((fd) => fd + 1));
  return Array.from({ length }, (_, fd) => own[fd] ?? (inherited.includes(fd) ? devNull() : 'ignore'));
}

let nullDescriptor: number | undefined;
function devNull(): number {
  nullDescriptor ??= openSync('/dev/null', 'r');
  return nullDescriptor;
}

/** proc(5), /proc/PID/fdinfo: the flags are octal; those without O_CLOEXEC stay open after exec. */
function inheritableDescriptors(): number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((fd) => {
      try {
        const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
        return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
      } catch {
        return false;
      }
    });
}
