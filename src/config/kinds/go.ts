/** Recognises a Go program by its go.mod. */
import { BASE_IMAGES, type FolderView, HEADER, type Recognition } from './kind.ts';

export async function recogniseGo(view: FolderView): Promise<Recognition> {
  const module = await view.text('go.mod');
  if (module === undefined) return undefined;
  const programs = await findPrograms(view);
  const [program] = programs;
  if (program === undefined) {
    return { whyNot: 'go.mod is there, but no package main in the folder itself or below cmd/' };
  }
  if (programs.length > 1) {
    return {
      whyNot: `go.mod is there with several programs (${programs.join(', ')}): a Dockerfile has to say which`,
    };
  }

  const isVendored = view.paths.some((path) => path.startsWith('vendor/'));
  const isLocal =
    /^\s*replace\s[^\n]*=>\s*\.{1,2}\//m.test(module) || /=>\s*\.{1,2}\//.test(module);
  const hasSum = view.has('go.sum');
  const lines = [
    HEADER,
    `FROM ${BASE_IMAGES.go} AS build`,
    'WORKDIR /src',
    ...(hasSum && !isVendored && !isLocal ? ['COPY go.mod go.sum ./', 'RUN go mod download'] : []),
    'COPY . .',
    `RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/app ${program}`,
    '# What a program may expect of an otherwise empty image: a place for temporary files, and certificates.',
    'RUN mkdir -p -m 1777 /out/tmp && mkdir -p /out/etc/ssl/certs \\',
    ' && if [ -f /etc/ssl/certs/ca-certificates.crt ]; then cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/; fi',
    '',
    'FROM scratch',
    'COPY --from=build /out /',
    ...(hasDataFiles(view) ? ['WORKDIR /srv', 'COPY . .'] : []),
    'CMD ["/app"]',
  ];
  return {
    kind: 'go',
    dockerfile: `${lines.join('\n')}\n`,
    extraFiles: [],
    without: [],
    because: `go.mod is there, and the program is ${program}`,
  };
}

/** The packages that are programs: the folder itself, else those directly below `cmd/`. */
async function findPrograms(view: FolderView): Promise<readonly string[]> {
  const sources = view.paths.filter((path) => path.endsWith('.go') && !path.endsWith('_test.go'));
  if (
    await hasMain(
      view,
      sources.filter((path) => !path.includes('/')),
    )
  )
    return ['.'];
  const folders = [...new Set(sources.map((path) => /^cmd\/[^/]+(?=\/[^/]+$)/.exec(path)?.[0]))];
  const programs: string[] = [];
  for (const folder of folders) {
    if (folder === undefined) continue;
    const own = sources.filter(
      (path) => path.startsWith(`${folder}/`) && !path.slice(folder.length + 1).includes('/'),
    );
    if (await hasMain(view, own)) programs.push(`./${folder}`);
  }
  return programs;
}

async function hasMain(view: FolderView, sources: readonly string[]): Promise<boolean> {
  for (const path of sources) {
    if (/^package main\b/m.test((await view.text(path)) ?? '')) return true;
  }
  return false;
}

/** Whether there is anything that a program may want to read while it runs: templates, pages, data. */
function hasDataFiles(view: FolderView): boolean {
  return view.paths.some(
    (path) =>
      !/\.(?:go|mod|sum|md)$|(?:^|\/)\.|^(?:LICENSE|Makefile|berth\.json|now\.json)$|^vendor\//.test(
        path,
      ),
  );
}
