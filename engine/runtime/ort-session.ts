/** Sessions of the native runtime, and the calls that run them. */

import type { Tensor } from '../graph/tensor.ts';
import type { Native, NativeFunction, Pointer, PointerArray } from './ort-api.ts';
import { adopt, nativeValue } from './ort-tensor.ts';
import type { BoundCall, Inputs, Outputs, Session } from './session.ts';

/** Returns the free parts of the session's memory arena at the end of a run (onnxruntime_run_options_config_keys.h). */
const FREE_AFTER = { 'memory.enable_memory_arena_shrinkage': 'cpu:0' };

/** One graph, compiled. */
export class OrtSession implements Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly handle: Pointer;
  readonly native: Native;
  readonly names = new Map<string, Pointer>();
  private open = true;

  constructor(native: Native, handle: Pointer) {
    this.native = native;
    this.handle = handle;
    const { api } = native;
    this.inputNames = this.readNames(api.SessionGetInputCount, api.SessionGetInputName);
    this.outputNames = this.readNames(api.SessionGetOutputCount, api.SessionGetOutputName);
  }

  private readNames(countOf: NativeFunction, nameOf: NativeFunction): string[] {
    const count: number[] = [0];
    this.native.check(countOf(this.handle, count));
    return Array.from({ length: Number(count[0]) }, (_, index) => {
      const pointer = this.native.make(nameOf, this.handle, index, this.native.allocator);
      const name = this.native.text(pointer);
      this.names.set(name, pointer);
      return name;
    });
  }

  run(inputs: Inputs, outputs: Outputs, { freeAfter = false } = {}): Record<string, Tensor> {
    const call = new OrtCall(this, inputs, outputs);
    try {
      if (freeAfter) this.native.withRunOptions(FREE_AFTER, (options) => call.run(options));
      else call.run();
      return call.results(outputs);
    } finally {
      call.dispose();
    }
  }

  bind(inputs: Inputs, outputs: Readonly<Record<string, Tensor>>): BoundCall {
    return new OrtCall(this, inputs, outputs);
  }

  endProfiling(): string {
    const { api, allocator } = this.native;
    const pointer = this.native.make(api.SessionEndProfiling, this.handle, allocator);
    return this.native.text(pointer);
  }

  dispose(): void {
    if (!this.open) return;
    this.open = false;
    const { api, allocator } = this.native;
    for (const pointer of this.names.values()) this.native.check(api.AllocatorFree(allocator, pointer));
    api.ReleaseSession(this.handle);
  }
}

/** The arguments of one `Run`, laid out in native memory. */
class OrtCall implements BoundCall {
  private readonly session: OrtSession;
  private readonly inputs: PointerArray;
  private readonly inputNames: PointerArray;
  private readonly outputs: PointerArray;
  private readonly outputNames: PointerArray;
  private readonly outputCount: number;

  constructor(session: OrtSession, inputs: Inputs, outputs: Outputs) {
    checkNames(session, inputs, outputs);
    const produced = Object.keys(outputs);
    this.session = session;
    this.outputCount = produced.length;
    this.inputNames = this.pointers(session.inputNames, (name) => session.names.get(name));
    this.inputs = this.pointers(session.inputNames, (name) => pointerOf(inputs[name]));
    this.outputNames = this.pointers(produced, (name) => session.names.get(name));
    this.outputs = this.pointers(produced, (name) => pointerOf(outputs[name]));
  }

  private pointers(names: readonly string[], pointer: (name: string) => Pointer | undefined): PointerArray {
    const array = this.session.native.pointerArray(names.length);
    names.forEach((name, index) => {
      array.at[index] = pointer(name) ?? 0n;
    });
    return array;
  }

  run(options: Pointer | null = null): void {
    const { native, handle, inputNames } = this.session;
    native.check(
      native.api.Run(
        handle,
        options,
        this.inputNames.address,
        this.inputs.address,
        inputNames.length,
        this.outputNames.address,
        this.outputCount,
        this.outputs.address,
      ),
    );
  }

  /** The outputs by name, those that the runtime allocated included. */
  results(outputs: Outputs): Record<string, Tensor> {
    const entries = Object.entries(outputs).map(([name, given], index) => {
      return [name, given ?? adopt(this.session.native, this.outputs.at[index] ?? 0n)];
    });
    return Object.fromEntries(entries);
  }

  dispose(): void {
    for (const array of [this.inputs, this.inputNames, this.outputs, this.outputNames]) array.dispose();
  }
}

function pointerOf(tensor: Tensor | null | undefined): Pointer | undefined {
  return tensor ? nativeValue(tensor) : undefined;
}

function checkNames(session: Session, inputs: Inputs, outputs: Outputs): void {
  const missing = session.inputNames.filter((name) => inputs[name] === undefined);
  const unknown = [
    ...Object.keys(inputs).filter((name) => !session.inputNames.includes(name)),
    ...Object.keys(outputs).filter((name) => !session.outputNames.includes(name)),
  ];
  if (missing.length + unknown.length === 0) return;
  throw new Error(
    `A graph was called with the wrong tensors. Missing inputs: ${missing.join(', ') || 'none'}; ` +
      `unknown names: ${unknown.join(', ') || 'none'}.`,
  );
}
