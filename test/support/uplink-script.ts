import type { Fault, FaultMode, UplinkAnswer } from './uplink-faults.ts'

export interface Override {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Which requests: the path without the query, or what it matches. */
export type PathPattern = string | RegExp

/** A fault, or what chooses one for the n-th request that the pattern matches, from 0. */
export type FaultChoice = Fault | ((n: number) => Fault)

/** What an uplink can be told to do. */
export interface UplinkOrders {
  /** Answers a path with something else, or with `undefined` rightly again. */
  set(path: string, override: Override | undefined): void
  /** Spoils the answers to what the pattern matches, the first `times` of them; the fault set last wins. */
  fault(pattern: PathPattern, fault: FaultChoice, times?: number): void
  /** Takes all faults away. */
  heal(): void
  /** Lets requests for what the pattern matches wait until the returned function is called. */
  hold(pattern: PathPattern): () => void
}

/** The orders, and what follows from them for a request. */
export interface UplinkScript extends UplinkOrders {
  override(path: string): UplinkAnswer | undefined
  /** The fault of the next answer; counts. */
  nextFault(path: string): FaultMode
  /** Resolves when nothing holds the path any more. */
  released(path: string): Promise<void>
}

interface FaultRule {
  readonly pattern: PathPattern
  readonly choice: FaultChoice
  readonly times: number
  used: number
}

/** A script without orders. */
export function uplinkScript(): UplinkScript {
  const overrides = new Map<string, Override>()
  const rules: FaultRule[] = []
  const holds = new Set<{ readonly pattern: PathPattern; readonly released: Promise<void> }>()
  return {
    set(path, override) {
      if (override === undefined) overrides.delete(path)
      else overrides.set(path, override)
    },
    fault: (pattern, choice, times = Number.POSITIVE_INFINITY) =>
      void rules.push({ pattern, choice, times, used: 0 }),
    heal: () => void rules.splice(0),
    hold(pattern) {
      const { promise: released, resolve } = Promise.withResolvers<void>()
      const held = { pattern, released }
      holds.add(held)
      return () => {
        holds.delete(held)
        resolve()
      }
    },
    override(path) {
      const override = overrides.get(path)
      if (override === undefined) return undefined
      const { status = 200, headers = {}, body = '' } = override
      return { kind: 'other', status, headers, body: Buffer.from(body) }
    },
    nextFault(path) {
      const rule = rules.findLast(({ pattern, times, used }) => used < times && matches(pattern, path))
      if (rule === undefined) return { mode: 'ok' }
      const n = rule.used++
      return faultMode(typeof rule.choice === 'function' ? rule.choice(n) : rule.choice)
    },
    async released(path) {
      for (const { pattern, released } of [...holds]) if (matches(pattern, path)) await released
    },
  }
}

function faultMode(fault: Fault): FaultMode {
  return typeof fault === 'string' ? ({ mode: fault } as FaultMode) : fault
}

/** Whether a path, without a query, is meant. */
export function matches(pattern: PathPattern, path: string): boolean {
  return typeof pattern === 'string' ? pattern === path : path.search(pattern) >= 0
}
