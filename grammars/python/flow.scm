; How control and values flow through a function, to cut pieces out of it.
; Scopes.  @outside: written inside a scope, evaluated around it; @lazy: may run later than it stands.
(module) @scope
(function_definition) @scope @function @lazy @binding
(class_definition) @scope @class @lazy @binding
(lambda) @scope @lazy
[(list_comprehension) (set_comprehension) (dictionary_comprehension)] @scope @comprehension @maybe
(generator_expression) @scope @comprehension @maybe @lazy
((call function: [(identifier) @_f (attribute attribute: (identifier) @_f)]
       arguments: (generator_expression) @eager)
 (#any-of? @_f "all" "any" "dict" "frozenset" "join" "list" "max" "min" "set" "sorted" "sum" "tuple"))
((call function: (identifier) @_f arguments: (argument_list . (generator_expression) @eager))
 (#any-of? @_f "all" "any" "dict" "frozenset" "list" "max" "min" "set" "sorted" "sum" "tuple"))

(function_definition name: (identifier) @outside @write)
(function_definition return_type: (_) @outside)
(class_definition name: (identifier) @outside @write)
(class_definition superclasses: (_) @outside)
(default_parameter value: (_) @outside)
(typed_default_parameter type: (_) @outside value: (_) @outside)
(typed_parameter type: (_) @outside)
(list_comprehension (_) . (for_in_clause right: (_) @outside))
(set_comprehension (_) . (for_in_clause right: (_) @outside))
(dictionary_comprehension (_) . (for_in_clause right: (_) @outside))
(generator_expression (_) . (for_in_clause right: (_) @outside))

; Names.  What is none of the others is read.
(identifier) @name
(attribute attribute: (identifier) @label)
(keyword_argument name: (identifier) @label)
(keyword_pattern . (identifier) @label)
(import_from_statement module_name: (dotted_name (identifier) @label))
(import_from_statement module_name: (relative_import (dotted_name (identifier) @label)))
(future_import_statement (dotted_name (identifier) @label))
(aliased_import name: (dotted_name (identifier) @label))
(aliased_import alias: (identifier) @write)
(import_from_statement name: (dotted_name (identifier) @write))
(import_statement name: (dotted_name . (identifier) @write))
(import_statement name: (dotted_name (identifier) (identifier) @label))
(parameters [(identifier) @write
             (default_parameter name: (identifier) @write)
             (typed_default_parameter name: (identifier) @write)
             (typed_parameter (identifier) @write)
             (typed_parameter [(list_splat_pattern (identifier) @write)
                               (dictionary_splat_pattern (identifier) @write)])
             (dictionary_splat_pattern (identifier) @write)])
(lambda_parameters [(identifier) @write
                    (default_parameter name: (identifier) @write)
                    (dictionary_splat_pattern (identifier) @write)])
(assignment left: (identifier) @write)
(assignment left: (identifier) @declare type: (_) @idle !right)
(assignment left: (identifier) type: (_) @idle)
(pattern_list (identifier) @write)
(tuple_pattern (identifier) @write)
(list_pattern (identifier) @write)
(list_splat_pattern (identifier) @write)
(augmented_assignment left: (identifier) @update)
(for_statement left: (identifier) @write)
(for_in_clause left: (identifier) @write)
; @into: the names in it that only a @group holds are written.
(as_pattern_target) @into
[(tuple) (list) (list_splat) (parenthesized_expression)] @group
(named_expression name: (identifier) @walrus)
(global_statement (identifier) @global)
(nonlocal_statement (identifier) @nonlocal)
(delete_statement (identifier) @delete @fixed.deletion)
(delete_statement (expression_list (identifier) @delete @fixed.deletion))
(delete_statement (_ [(tuple) (list) (parenthesized_expression)]) @fixed.deletion)
(delete_statement [(tuple) (list) (parenthesized_expression)]) @fixed.deletion
(type_alias_statement left: (type (identifier) @write)) @fixed.definition
(type_alias_statement left: (type (generic_type (identifier) @write)))
(_ type_parameters: (type_parameter (type (identifier) @parameter.type)))
(_ type_parameters: (type_parameter (type (_ (type (identifier) @parameter.type)))))
(_ type_parameters: (type_parameter (type (_ (identifier) @parameter.type))))
((case_pattern (dotted_name . (identifier) @capture .)) (#not-eq? @capture "_"))
((union_pattern (dotted_name . (identifier) @capture .)) (#not-eq? @capture "_"))
((keyword_pattern (identifier) (dotted_name . (identifier) @capture .)) (#not-eq? @capture "_"))
((splat_pattern (identifier) @capture) (#not-eq? @capture "_"))
(case_pattern (as_pattern (identifier) @capture .))
(as_pattern (case_pattern) (identifier) @capture .)

; The names that an assignment writes are written at its end.
[(assignment) (augmented_assignment) (named_expression) (as_pattern)] @binding
; What may be left out when the rest of its statement runs.
(boolean_operator right: (_) @maybe)
(conditional_expression) @maybe
(comparison_operator (_) (_) (_) @maybe)
(assert_statement) @maybe

; Control.
(block) @suite
(function_definition body: (block . (expression_statement . (string) .) @docstring))
(if_statement) @choice
(match_statement body: (block) @cases) @choice
(elif_clause) @arm
(else_clause) @arm
(case_clause) @arm
((case_clause . (case_pattern) @_p !guard) @irrefutable (#eq? @_p "_"))
(case_pattern) @pattern
(for_statement left: (_) @target right: (_) @once) @loop
(while_statement) @loop
(while_statement condition: [(true) (integer)] @endless (#not-match? @endless "^0"))
(with_statement) @guarded
(with_item) @manager
((with_item value: [(call function: [(identifier) @_m (attribute attribute: (identifier) @_m)])
                    (as_pattern (call function: [(identifier) @_m (attribute attribute: (identifier) @_m)]))
                    (identifier) @_m (attribute attribute: (identifier) @_m)]) @plain
 (#match? @_m "^open$|[Ll]ock$"))
(try_statement) @try
[(except_clause) (except_group_clause)] @handler
(except_group_clause) @group
[(except_clause (as_pattern alias: (as_pattern_target (identifier) @unbound)))
 (except_group_clause (as_pattern alias: (as_pattern_target (identifier) @unbound)))]
(finally_clause) @cleanup
(return_statement) @jump.return
(return_statement (_) @returned)
(break_statement) @jump.break
(continue_statement) @jump.continue
(raise_statement) @jump.raise

; @opaque: sees the names of the function that it is called in.
((call function: (identifier) @opaque) (#any-of? @opaque "locals" "eval" "exec"))
((call function: (identifier) @opaque arguments: (argument_list "(" . ")"))
 (#any-of? @opaque "vars" "dir"))
((identifier) @opaque (#eq? @opaque "f_locals"))
(exec_statement) @opaque
(wildcard_import) @opaque

; @fixed: has to stay where it is.
(yield) @fixed.yield
(await) @fixed.await
(function_definition "async" @coroutine)
(for_statement "async" @fixed.await)
(with_statement "async" @fixed.await)
(for_in_clause "async" @fixed.await)
(function_definition) @fixed.definition
(class_definition) @fixed.definition
(global_statement) @fixed.declaration
(nonlocal_statement) @fixed.declaration
((identifier) @fixed.frame-access
 (#any-of? @fixed.frame-access "_getframe" "_getframemodulename" "currentframe" "extract_stack"
                               "format_stack" "getframeinfo" "print_stack" "skip_file_prefixes"
                               "stacklevel"))
((identifier) @fixed.class-access (#any-of? @fixed.class-access "super" "__class__"))
((call function: (attribute object: (identifier) @_i attribute: (identifier) @fixed.frame-access))
 (#eq? @_i "inspect") (#any-of? @fixed.frame-access "stack" "trace"))
; @private: an identifier that a class renames.
((identifier) @private (#match? @private "^__") (#not-match? @private "__$"))
; @held: an object that does something when it is let go of, and the name that holds it.
((assignment left: (identifier) @held
             right: (call function: [(identifier) @_h (attribute attribute: (identifier) @_h)]))
 (#match? @_h "^open$|Temporary|Popen|socket|Lock$|Pool|finalize"))
