import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StoredPackage } from './package-files.ts'

// As much of Verdaccio's objects as the adapter uses, by their shape: they are the same in 6.5, 6.10 and 9 where
// nothing else is said, and nothing of Verdaccio has to be installed to compile this.

/** Whom a request is from. */
export interface RemoteUser {
  /** Absent: nobody. */
  readonly name?: string | undefined
  /** Those of the user, and `$all`, `$authenticated` and the like. */
  readonly groups: readonly string[]
  /** What kept version 6 from taking a credential. */
  readonly error?: string
  /** Set by a token that `npm token create` made. */
  readonly token?: { readonly key?: string }
}

/** A token that `npm token create` made, as Verdaccio keeps it. */
export interface GeneratedToken {
  readonly key: string
  readonly readonly?: boolean
  readonly cidr?: readonly string[]
}

/** A request as Express has it. */
export interface VerdaccioRequest extends IncomingMessage {
  /** The address of the client, by the host's `trustProxy`. */
  readonly ip?: string
  readonly protocol?: string
  remote_user?: RemoteUser
}

export type Middleware = (
  request: VerdaccioRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => unknown

type Callback<T> = (error: unknown, value?: T) => void
type PackageQuestion = (
  of: { readonly packageName: string },
  user: RemoteUser,
  callback: Callback<boolean>,
) => void

/** A rule of `packages`, its lists as Verdaccio normalises them. */
export interface PackageAccess {
  readonly access?: readonly string[]
  readonly publish?: readonly string[]
  readonly unpublish?: readonly string[] | boolean
}

/** The host's configuration, read and completed. */
export interface VerdaccioConfig {
  readonly configPath?: string
  readonly self_path?: string
  readonly storage?: string
  /** The store plugin by its name, when it is not the local one. */
  readonly store?: Readonly<Record<string, unknown>>
  readonly packages: Readonly<Record<string, PackageAccess>>
  readonly url_prefix?: string
  readonly middlewares?: Readonly<Record<string, unknown>>
  /** What is inserted into the web pages; a plugin may add to it. */
  web?: { scriptsBodyAfter?: string[] }
}

/** The host's users and rights. */
export interface VerdaccioAuth {
  readonly config: VerdaccioConfig
  authenticate(user: string, password: string, callback: Callback<RemoteUser>): void
  apiJWTmiddleware(): Middleware
  readonly allow_access: PackageQuestion
  readonly allow_publish: PackageQuestion
  readonly allow_unpublish: PackageQuestion
}

/** The host's storage: its tokens, and the plugin that stores. */
export interface VerdaccioStorage {
  readTokens(filter: { readonly user: string }): Promise<readonly GeneratedToken[]>
  readonly localStorage?: {
    /** Up to version 6. */
    readonly storagePlugin?: StorePlugin
    /** Version 9. */
    getStoragePlugin?(): StorePlugin
  }
}

/** A store plugin, as far as it stores packages. */
export interface StorePlugin {
  getPackageStorage(name: string): StoredPackage | null | undefined
}

/** As much of an Express application as has layers. */
export interface VerdaccioApp {
  use(middleware: Middleware): unknown
  /** Express 4. */
  readonly _router?: { readonly stack: Layer[] }
  /** Express 5; a getter that throws in version 4. */
  readonly router?: { readonly stack: Layer[] }
}

export interface Layer {
  readonly name: string
}
