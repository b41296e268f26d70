import type { CargoContext } from './context.ts'
import { sendFresh } from './fresh-answer.ts'

/** Answers a read with JSON, which clients may keep but must ask for again each time. */
export function sendJson(ctx: CargoContext, value: unknown): void {
  sendFresh(ctx, 'application/json; charset=utf-8', JSON.stringify(value))
}
