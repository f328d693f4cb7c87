/** Recognises a static site by its index.html; it is served by our own small server. */
import { readFile } from 'node:fs/promises';
import { IGNORE_FILES } from '../ignore.ts';
import { CONFIG_NAMES } from '../names.ts';
import { BASE_IMAGES, type FolderView, HEADER, type Recognition } from './kind.ts';

const SERVER = new URL('./static-server.mjs', import.meta.url);
/** A hidden folder: the server shows none. */
const SERVER_PATH = '.berth/static-server.mjs';

export async function recogniseStatic(view: FolderView): Promise<Recognition> {
  if (!view.has('index.html')) return undefined;
  const lines = [
    HEADER,
    `FROM ${BASE_IMAGES.node}`,
    `COPY ${SERVER_PATH} /berth/static-server.mjs`,
    'COPY . /site',
    'CMD ["node", "/berth/static-server.mjs", "/site"]',
  ];
  return {
    kind: 'static',
    dockerfile: `${lines.join('\n')}\n`,
    extraFiles: [{ path: SERVER_PATH, text: await readFile(SERVER, 'utf8') }],
    // Everything in the folder is shown to everybody: its configuration, with variables, is not for them.
    without: [
      ...CONFIG_NAMES,
      ...Object.values(IGNORE_FILES).flatMap((group) => group.map(({ name }) => name)),
    ],
    because: 'index.html is there, and no app',
  };
}
