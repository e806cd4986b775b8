; @called by its bare name, or as a @method of what stands before it.  @base: what a class builds on.
(call function: (identifier) @called)
(call function: (attribute attribute: (identifier) @method))
(call function: [(call) (subscript) (parenthesized_expression) (await)] @computed)
(class_definition superclasses: (argument_list
  (keyword_argument name: (identifier) @_name value: [(identifier) (attribute)] @meta))
  (#eq? @_name "metaclass"))
(class_definition superclasses: (argument_list [(identifier) (attribute)] @base))

; Another name for a value.
(assignment left: (identifier) @alias !type
  right: [(identifier) (attribute) (call)] @aliased)

[(import_statement) (import_from_statement)] @import
(wildcard_import) @star
(aliased_import alias: (identifier) @imported)
(import_from_statement name: (dotted_name (identifier) @imported))
(import_statement name: (dotted_name . (identifier) @imported))
