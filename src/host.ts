import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

/**
 * What the plugin needs of the artifact host that it is mounted in. Everything is structural: a host adapts with a
 * few lines, and `verdaccio-cargo/hosts/*` has ready adapters.
 */
export interface Host {
  readonly auth: HostAuth
  readonly storage: ObjectStore
  /** A Keyv over the host's Redis fits as it is; absent, an in-process cache is used. */
  readonly cache?: MetadataCache
  /** prom-client's `Registry`; absent, nothing is measured. */
  readonly metrics?: MetricsRegistry
  readonly logger?: Logger
  /** This host's own base URL for a request, without the plugin's mount; never taken blindly from `Host` headers. */
  publicUrl?(request: HostRequest): string
  /** Told of every accepted change, policy decision and integrity conflict; must not throw. */
  emit?(event: CargoEvent): void
}

/** As much of a request as tells who sent it, and where to. Where Koa was given it, it is Koa's `ctx.req`. */
export interface HostRequest extends Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'socket'> {
  /** Absent where every header was there once. */
  readonly rawHeaders?: readonly string[]
}

/** The host's users and its access rules. */
export interface HostAuth {
  /**
   * The user behind an `Authorization` header (absent: nobody, `undefined`).
   * @throws {CargoError} `invalid_credential` for a bad credential; any other failure is answered with 503.
   */
  authenticate(authorization: string | undefined, request: HostRequest): Promise<Principal | undefined>
  /**
   * What `authenticate` said of this credential a moment ago, whatever the request was, if it would say the same now;
   * `undefined` when it has to be asked. Absent: it is asked every time.
   */
  recall?(authorization: string | undefined): Recalled | undefined
  /** Whether the host lets `who` do `action`, on `crate` or (without one) on any crate at all. */
  authorize(who: Principal | undefined, action: Action, crate?: string): Promise<boolean>
  /** `authorize` refuses no read, ever: lists of many crates need not ask about each of them. Absent: it may. */
  readonly allowsEveryRead?: boolean
  /** Lets people make tokens at `/me/tokens`; absent: the host has another place for that, or none. */
  readonly tokens?: TokenIssuer
  /** Where the host's users get a token, http or https; `/me` leads there when there is no issuer. */
  readonly tokenPage?: string
  /** What the host's users do at a command line to get a token; `/me` tells it when there is neither of these. */
  tokenSteps?(registry: string): readonly TokenStep[]
}

/** The user behind a credential that was right. */
export interface Recalled {
  readonly principal: Principal | undefined
}

/** A command, and what it is for; `registry` is the plugin's own URL, mount included. */
export interface TokenStep {
  readonly text: string
  readonly command: string
}

/**
 * The tokens that people make for themselves. Asked only for a principal that has neither `tokenId` nor `may`: a token
 * makes no tokens. (A token may revoke itself.)
 */
export interface TokenIssuer {
  /** The person's tokens, expired ones too. */
  list(who: Principal): Promise<readonly IssuedToken[]>
  /** Makes a token with the person's rights, as far as the wish allows them; its text is told here only. */
  create(who: Principal, wish: TokenWish): Promise<{ readonly token: string; readonly issued: IssuedToken }>
  /** Whether the person had a token of that id; it is refused everywhere within a minute. */
  revoke(who: Principal, id: string): Promise<boolean>
}

/** What a person wants of a token. */
export interface TokenWish {
  /** What the person calls it: one line, of any characters. */
  readonly name: string
  /** RFC 3339; absent: never expires. */
  readonly expires?: string
  /** Names of crates, with `*` for any characters; absent: every crate. */
  readonly crates?: readonly string[]
  /** Absent: every action. Without `read` reads are as free as the person's own: cargo cannot publish otherwise. */
  readonly actions?: readonly Action[]
}

/** A token that was made, without the token. */
export interface IssuedToken extends TokenWish {
  /** As in `Principal.tokenId`. */
  readonly id: string
  /** RFC 3339. */
  readonly created: string
}

/** What a principal can do, to a crate or to the registry. */
export const ACTIONS = ['read', 'publish', 'yank', 'owners', 'unpublish', 'admin'] as const
export type Action = (typeof ACTIONS)[number]

/** A user or machine whose credential was accepted. */
export interface Principal {
  readonly name: string
  readonly groups: readonly string[]
  /** Which of the user's tokens was used: an identifier for the audit trail, never the token. */
  readonly tokenId?: string
  /** The scopes of the token: `false` takes away a right that the user has. */
  may?(action: Action, crate?: string): boolean
  /** The host's own user object. */
  readonly native?: unknown
}

/** Half-open byte range `[start, end)`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface ObjectInfo {
  /** Bytes. */
  readonly size: number
  /** When the object was last written. */
  readonly modified: Date
}

export interface StoredObject extends ObjectInfo {
  /** The bytes asked for; must be consumed or destroyed. `size` is that of the whole object. */
  readonly body: Readable
}

export interface ListedObject extends ObjectInfo {
  readonly key: string
}

/** An object that is open for positional reads. */
export interface OpenObject extends ObjectInfo {
  /** Fills `buffer` from `position` on; the number of bytes read, 0 at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>
  close(): Promise<void>
}

/** How a store answers at a signed URL. */
export interface SignedAnswer {
  /** Its `Content-Type`. */
  readonly type: string
  /** Its `Content-Disposition` is `attachment` with this name: letters, digits and `._+-`. */
  readonly filename: string
}

export interface PutOptions {
  readonly ifAbsent?: boolean
  /** `false`: a power cut may take it away or damage it, a crash of the process may not; stores may ignore that. */
  readonly durable?: boolean
  /**
   * What has to be done before the object may be seen; if it fails, nothing is written, and `put()` fails with it. Only
   * given, with bytes, to stores that heed it.
   */
  readonly after?: Promise<unknown>
}

/**
 * Keys are relative paths of `[A-Za-z0-9._+-]` segments separated by `/`, at most 512 bytes.
 * Absent objects are `undefined`; every failure of the store is thrown, never mistaken for absence.
 */
export interface ObjectStore {
  get(key: string, range?: ByteRange): Promise<StoredObject | undefined>
  open?(key: string): Promise<OpenObject | undefined>
  stat(key: string): Promise<ObjectInfo | undefined>
  /**
   * Writes an object whole or not at all; it is durable when the promise resolves.
   * With `ifAbsent`, of any number of concurrent writers exactly one gets `true`, the others `false`.
   */
  put(key: string, body: Uint8Array | Readable, options?: PutOptions): Promise<boolean>
  /** Deleting an absent object is no error. */
  delete(key: string): Promise<void>
  /** All keys that start with `prefix`, in key order (by UTF-8 bytes), those after `after` only. */
  list(prefix: string, options?: { readonly after?: string }): AsyncIterable<ListedObject>
  /**
   * A URL where whoever has it gets the object with GET, whole or in ranges, for so many seconds; whether there is one
   * is not looked at. With this downloads of stored crates are redirected there; absent, they are streamed.
   */
  signedUrl?(key: string, seconds: number, answer: SignedAnswer): Promise<string>
  /** Removes what writes left behind that were begun before that time and never ended; how many. */
  sweep?(before: Date): Promise<number>
  /** Whether `ifAbsent` holds across processes and machines, so that several may share the store. */
  readonly multiWriter: boolean
  /** Whether `after` is heeded: such a store makes ready meanwhile what it can. For others it is waited for. */
  readonly heedsAfter?: boolean
  close?(): Promise<void>
}

/** A lossy copy shared by the host's processes; a `Keyv` fits as it is. Any answer may be missing, old or wrong. */
export interface MetadataCache {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown, ttlMs?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  /** A best-effort lock: a function that releases it, or `undefined` when someone else holds it. */
  lock?(key: string, ttlMs: number): Promise<(() => Promise<void>) | undefined>
}

/** As much of prom-client's `Registry` as a host must have; pass that object itself. */
export interface MetricsRegistry {
  getSingleMetric(name: string): unknown
  registerMetric(metric: never): void
}

/** Shaped like pino's. */
export interface Logger {
  debug(object: object, message: string): void
  info(object: object, message: string): void
  warn(object: object, message: string): void
  error(object: object, message: string): void
}

/** What may happen: the changes of a crate, what a rule keeps from somebody, and what is not believed. */
export const EVENT_KINDS = ['publish', 'yank', 'unyank', 'owners', 'remove', 'denied', 'integrity'] as const

/** Something an auditor or a webhook wants to know. Never carries credentials. */
export interface CargoEvent {
  readonly kind: (typeof EVENT_KINDS)[number]
  readonly crate: string
  readonly version?: string
  /** The principal's name; absent for what the registry noticed by itself. */
  readonly by?: string
  readonly tokenId?: string
  /** RFC 3339, UTC. */
  readonly at: string
  readonly detail?: Readonly<Record<string, unknown>>
}
