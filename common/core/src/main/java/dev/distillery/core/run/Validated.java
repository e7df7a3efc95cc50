package dev.distillery.core.run;

import java.util.List;

/** Options that can say all that is wrong with them, across fields too, before any work begins. */
public interface Validated {
  /** One sentence for each violation, naming the option and the value; empty where all is well. */
  List<String> violations();
}
