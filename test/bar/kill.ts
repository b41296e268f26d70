import type { Figure } from './figures.ts'
import { randomKillFigures } from './kill-random.ts'
import { firstPublishFigures, walkFigures } from './kill-walk.ts'
import { syncFailureFigures } from './sync-failure.ts'

/** `kill -9` at every call of every change, and at any time among many publishers; and a disk that refuses to sync. */
export async function killFigures(
  context: { after(done: () => Promise<void>): void },
  { kills }: { readonly kills: number },
): Promise<readonly Figure[]> {
  return [
    ...(await walkFigures(context)),
    ...(await firstPublishFigures(context)),
    ...(await syncFailureFigures(context)),
    ...(await randomKillFigures(context, { kills, publishers: 8 })),
  ]
}
