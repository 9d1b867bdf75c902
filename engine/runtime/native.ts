/** What the native runtime offers to the tensors and sessions built on it. */
import type { ORT_FUNCTIONS } from './ort-api.ts';

export type Pointer = bigint;
export type NativeFunction = (...args: unknown[]) => unknown;
export type OrtApi = Record<keyof typeof ORT_FUNCTIONS, NativeFunction>;

/** An array of pointers in native memory, written from JavaScript. */
export interface PointerArray {
  readonly address: Pointer;
  readonly at: BigUint64Array;
  dispose(): void;
}

export interface Native {
  readonly api: OrtApi;
  readonly allocator: Pointer;
  /** Throws what a failed call says; a null status is success. */
  check(status: unknown): void;
  /** Calls a function whose last parameter receives a pointer, and returns that pointer. */
  make(create: NativeFunction, ...args: unknown[]): Pointer;
  /** Native memory as an ArrayBuffer, without a copy. */
  view(address: Pointer, bytes: number): ArrayBuffer;
  /** A zero-terminated UTF-8 string. */
  text(address: Pointer): string;
  pointerArray(length: number): PointerArray;
}
