/** How instances speak to the platform from inside: of all its sockets they reach this one only. */
export interface Inside {
  /** Where an instance of this project says that it is busy; undefined where the engine has no address for that. */
  busyUrl(project: string): Promise<string | undefined>;
  /** An instance of the project has joined its network, so that this address exists. Never rejects. */
  joined(project: string): Promise<void>;
}
