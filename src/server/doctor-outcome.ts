/** What a check came to. */
export interface Outcome {
  readonly status: 'ok' | 'wrong' | 'skipped'
  readonly text: string
  /** Of what is wrong. */
  readonly remedy?: string
}

/** A part of the doctor's work, told as it goes on. */
export type Outcomes = AsyncGenerator<Outcome, void>

export function ok(text: string): Outcome {
  return { status: 'ok', text }
}

export function wrong(text: string, remedy: string): Outcome {
  return { status: 'wrong', text, remedy }
}

export function skipped(text: string): Outcome {
  return { status: 'skipped', text }
}

/** Milliseconds as people read them. */
export function renderMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
