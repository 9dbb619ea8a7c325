import { assertEquals, assertNotEquals } from "@std/assert";
import { dirname, join } from "@std/path/posix";
