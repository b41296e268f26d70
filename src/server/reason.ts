import { CargoError } from '../errors.ts'

/** Why something failed, for the operator: the operating system's own words where a client is told less. */
export function reasonOf(error: unknown): string {
  if (error instanceof CargoError && error.cause !== undefined) return reasonOf(error.cause)
  // Each address of a host was tried: the first one will do.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
