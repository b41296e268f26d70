import type { ServerResponse } from 'node:http'
import type { Layer, Middleware, VerdaccioApp, VerdaccioRequest } from './api.ts'

/** The layer that ours comes behind: what stands after it reads bodies and refuses cargo's bare tokens. */
const COMPRESSION = 'compression'

/** Answers a request, whatever becomes of it. */
export type Answer = (request: VerdaccioRequest, response: ServerResponse) => unknown

/**
 * Puts a layer for everything below `mount` into Verdaccio's application: before its body parser, which would read
 * JSON that is not its own, and before its auth, which in version 9 answers a token without a scheme by itself.
 */
export function addLayer(app: VerdaccioApp, mount: string, answer: Answer): void {
  // Express would strip the mount off the URL, and version 6 put it back in the middle of the request: so no path here.
  const layer: Middleware = function cargoFormat(request, response, next) {
    if (!isBelow(mount, request.url ?? '')) return next()
    // A logger has set the body flowing: what is not stopped before the first `await` is lost.
    request.pause()
    flowWhenRead(request)
    repairWrite(response)
    answer(request, response)
  }
  app.use(layer)
  const stack = stackOf(app)
  const compression = stack.findIndex(({ name }) => name === COMPRESSION)
  const own = stack.pop()
  if (own !== undefined) stack.splice(compression === -1 ? stack.length : compression + 1, 0, own)
}

function isBelow(mount: string, url: string): boolean {
  return url.startsWith(mount) && /^($|[/?])/.test(url.slice(mount.length))
}

/** A stream that was stopped by hand does not start by itself when somebody listens, as a new one does. */
function flowWhenRead(request: VerdaccioRequest): void {
  request.on('newListener', (event) => {
    if (event === 'data') process.nextTick(() => request.resume())
  })
}

/** Version 6 replaces `write` by a function that returns nothing: nobody would wait for a slow reader any more. */
function repairWrite(response: ServerResponse): void {
  const write = response.write
  response.write = (...values: unknown[]) => {
    const accepted: unknown = Reflect.apply(write, response, values)
    return accepted === undefined ? !response.writableNeedDrain : accepted === true
  }
}

function stackOf(app: VerdaccioApp): Layer[] {
  const { stack } = app._router ?? app.router ?? {}
  if (stack === undefined)
    throw new Error('this Verdaccio has no list of layers: it is a version that was never tried')
  return stack
}
