package dev.distillery.core.run;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks an option that changes how a run goes and not what it writes: a limit, a budget, a place to
 * read a key from. It may differ when a run is resumed; every other option must be the same.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Tunable {}
