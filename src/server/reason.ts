import { CargoError } from '../errors.ts'

/** Why something failed, for the operator: the operating system's own words where a client is told less. */
export function reasonOf(error: unknown): string {
  if (error instanceof CargoError && error.cause !== undefined) return reasonOf(error.cause)
  return error instanceof Error ? error.message : String(error)
}
