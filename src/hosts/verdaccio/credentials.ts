import { CargoError } from '../../errors.ts'
import { parseCredential } from '../credential.ts'
import type { RemoteUser, VerdaccioAuth, VerdaccioRequest } from './api.ts'

/**
 * The user behind a header, found out as Verdaccio itself would.
 * @throws {CargoError} `invalid_credential`; a host that fails throws something else
 */
export async function findUser(
  auth: VerdaccioAuth,
  authorization: string,
  request: VerdaccioRequest,
): Promise<RemoteUser> {
  const credential = parseCredential(authorization)
  const user =
    credential.kind === 'token'
      ? await byToken(auth, credential.token, request)
      : await byPassword(auth, credential)
  // An expired token makes an anonymous user of whom nothing is said.
  if (user?.name === undefined) throw refused()
  return user
}

function byPassword(
  auth: VerdaccioAuth,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<RemoteUser | undefined> {
  return new Promise((resolve, reject) => {
    auth.authenticate(user, password, (error, found) =>
      isError(error) ? reject(asRefusal(error)) : resolve(found),
    )
  })
}

/** Asks the host's own middleware, with a request of which it sees the header and can change nothing. */
function byToken(
  auth: VerdaccioAuth,
  token: string,
  request: VerdaccioRequest,
): Promise<RemoteUser | undefined> {
  const shadow: VerdaccioRequest = Object.create(request, {
    headers: { value: { ...request.headers, authorization: `Bearer ${token}` } },
    remote_user: { value: undefined, writable: true },
    pause: { value: () => shadow },
    resume: { value: () => shadow },
  })
  return new Promise((resolve, reject) => {
    // Version 9 hands a refusal on, version 6 leaves it on the user.
    auth.apiJWTmiddleware()(shadow, { locals: {} } as never, (error) => {
      if (isError(error)) reject(asRefusal(error))
      else if (shadow.remote_user?.error !== undefined) reject(refused(shadow.remote_user.error))
      else resolve(shadow.remote_user)
    })
  })
}

function isError(error: unknown): boolean {
  return error !== null && error !== undefined
}

/** A failure of the host is none of the credential. */
function asRefusal(error: unknown): unknown {
  const { status, statusCode } = error as { readonly status?: number; readonly statusCode?: number }
  return (status ?? statusCode ?? 500) < 500 ? refused(error) : error
}

function refused(cause?: unknown): CargoError {
  return new CargoError('invalid_credential', 'invalid token or password', { cause })
}
