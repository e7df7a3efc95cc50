package dev.distillery.core.run;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a number that says how far a run goes. A finished run that is given a larger one goes on
 * from where it ended, where any other finished run only says what it ended with.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface GoesOn {}
