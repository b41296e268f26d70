import type { Server } from './process.ts'

/** Where a registry runs. */
export interface Place {
  /** Empty at first. */
  readonly folder: string
  /** The origin of an uplink whose index is at `/index/`, and whose files are where crates.io has them. */
  readonly uplink: string
}

/** A registry that runs; its `url` is that of its index, without a final slash. */
export interface OtherServer extends Server {
  /** Where `/api/v1/crates` is. */
  readonly api: string
  /** What everybody sends. */
  readonly headers: Readonly<Record<string, string>>
  /** The index through which crates of the uplink come; absent: it proxies nothing. */
  readonly proxied?: string
}

/** A registry that others made. */
export interface OtherRegistry {
  readonly name: string
  readonly version: string
  /** The name of its program. */
  readonly program: string
  readonly source: 'crates.io' | 'Go module'
  /** Starts its program, whose path is given. */
  start(program: string, place: Place): Promise<OtherServer>
}
