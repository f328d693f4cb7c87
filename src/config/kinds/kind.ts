/** What every recogniser of a kind of folder sees and answers. */

/** What is uploaded of a folder, as the recognisers see it. */
export interface FolderView {
  /** All files, relative, `/` between names. */
  readonly paths: readonly string[];
  has(path: string): boolean;
  /** The text of a small file; undefined when it is not there or is no text. */
  text(path: string): Promise<string | undefined>;
}

export type Kind = 'node' | 'go' | 'python' | 'static';

export interface Recognised {
  readonly kind: Kind;
  /** The text of the Dockerfile. It belongs at `GENERATED_DOCKERFILE`, where it is not part of what it copies by name. */
  readonly dockerfile: string;
  /** Files that the Dockerfile copies and the folder does not have. */
  readonly extraFiles: readonly { readonly path: string; readonly text: string }[];
  /** Files of the folder that must not get into the image. */
  readonly without: readonly string[];
  /** One sentence: what was seen. */
  readonly because: string;
}

/** A recogniser's answer: the reason why not, when something of the kind is there but not enough. */
export type Recognition = Recognised | { readonly whyNot: string } | undefined;

export const GENERATED_DOCKERFILE = '.berth/Dockerfile';

/** The base images that the Dockerfiles name, in full so that no search registry is asked. */
export const BASE_IMAGES = {
  node: 'docker.io/library/node:24-slim',
  python: 'docker.io/library/python:3-slim',
  go: 'docker.io/library/golang:1',
} as const;

/** The first line of every Dockerfile made here. */
export const HEADER =
  '# Made by Berth, because the folder has no Dockerfile. To change it, save it as Dockerfile.';
