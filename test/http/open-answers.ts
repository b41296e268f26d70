import type { ServerResponse } from 'node:http'
import type { App } from '../support/app.ts'
import { settled } from './proxied.ts'

const open = new WeakMap<App, Set<ServerResponse>>()

/** Takes note of the answers that an app has not ended, from now on. */
export function watchAnswers(app: App): App {
  const answers = new Set<ServerResponse>()
  open.set(app, answers)
  app.server.on('request', (_, response: ServerResponse) => {
    answers.add(response)
    response.once('close', () => answers.delete(response))
  })
  return app
}

/** Stops a watched app once its answers have ended: a client may have all of one before the server knows. */
export async function stopAfterAnswers(app: App): Promise<void> {
  await settled(() => open.get(app)?.size, 0)
  await app.close()
}
