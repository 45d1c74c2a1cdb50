import { open as overview } from "./overview.js";
export const open = overview;
