package dev.distillery.core.run;

import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** On a record of options: one that it had, refused with what stands in its place. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@Repeatable(RemovedOption.All.class)
public @interface RemovedOption {
  /** With its dashes. */
  String name();

  /** What to do now, as the end of a sentence: "use --b". */
  String instead();

  /** Several of them. */
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.TYPE)
  @interface All {
    RemovedOption[] value();
  }
}
