/** Recognises a Python app by its requirements.txt or its main.py. */
import { BASE_IMAGES, type FolderView, HEADER, type Recognition } from './kind.ts';

const ENTRIES = ['main.py', 'app.py', 'server.py'];

export async function recognisePython(view: FolderView): Promise<Recognition> {
  const requirements = await view.text('requirements.txt');
  const entry = ENTRIES.find((path) => view.has(path));
  if (entry === undefined) {
    if (requirements === undefined) return undefined;
    return { whyNot: 'requirements.txt is there, but none of main.py, app.py and server.py' };
  }
  const wanted = (requirements ?? '')
    .split(/\r?\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
  const start = startOf(entry, (await view.text(entry)) ?? '', wanted);

  const install = 'RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt';
  // Requirements that are files of the folder themselves need them before.
  const isLocal = wanted.some((line) =>
    /^(?:-e|--editable|-r|-c|--requirement|--constraint|\.|file:)/.test(line),
  );
  const lines = [
    HEADER,
    `FROM ${BASE_IMAGES.python}`,
    'WORKDIR /app',
    'ENV PYTHONUNBUFFERED=1',
    ...(wanted.length === 0
      ? ['COPY . .']
      : isLocal
        ? ['COPY . .', install]
        : ['COPY requirements.txt ./', install, 'COPY . .']),
    `CMD ${JSON.stringify(start)}`,
  ];
  return {
    kind: 'python',
    dockerfile: `${lines.join('\n')}\n`,
    extraFiles: [],
    without: [],
    because: `${entry} is there${requirements === undefined ? '' : ' with requirements.txt'}`,
  };
}

/** A file that only defines an app is run by the server among its requirements; any other runs itself. */
function startOf(entry: string, text: string, wanted: readonly string[]): readonly string[] {
  const module = entry.replace(/\.py$/, '');
  const names = new Set(wanted.map((line) => /^[\w.-]+/.exec(line)?.[0].toLowerCase()));
  const app = /^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?(FastAPI|Starlette|Quart|Flask|Bottle)\(/m.exec(
    text,
  );
  if (app === null || text.includes('__main__')) return ['python', entry];
  const [, variable, framework = ''] = app;
  const isAsync = ['FastAPI', 'Starlette', 'Quart'].includes(framework);
  // "sh" is there for $PORT alone; "exec" lets SIGTERM reach the server.
  if (isAsync && names.has('uvicorn')) {
    return ['sh', '-c', `exec uvicorn ${module}:${variable} --host 0.0.0.0 --port "$PORT"`];
  }
  if (!isAsync && names.has('gunicorn')) {
    return ['sh', '-c', `exec gunicorn --bind "0.0.0.0:$PORT" ${module}:${variable}`];
  }
  return ['python', entry];
}
